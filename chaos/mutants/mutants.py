"""Workers that break one rule on purpose. The checker must find every one of them.

A mutant is a function that breaks the rule in this process, in which the unchanged worker then runs.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

import consumer.worker.group.client
import consumer.worker.group.starting_points
import consumer.worker.group.tenure
import messaging.connection
from consumer.worker.group.client import GroupClient
from consumer.worker.group.offsets import OffsetTracker
from consumer.worker.group.starting_points import StartingPoints
from consumer.worker.outcome import Outcome
from messaging.committed import CommitPoint, commit_with
from messaging.connection import make_consumer, make_transactional_producer

AUTO_COMMIT_S = 2.0


def auto_commit() -> None:
    """Commits offsets by the clock, apart from the results."""
    due: dict[int, float] = {}

    async def commit(
        producer: AIOKafkaProducer, tp: TopicPartition, tracker: OffsetTracker, batch: Sequence[Outcome], *, group: str
    ) -> None:
        async with producer.transaction():
            await _send(producer, batch)
        tracker.commit({outcome.offset for outcome in batch})
        if time.monotonic() > due.setdefault(tp.partition, time.monotonic() + AUTO_COMMIT_S):
            due[tp.partition] = time.monotonic() + AUTO_COMMIT_S
            async with producer.transaction():
                await commit_with(producer, group, tp, tracker.point())

    consumer.worker.group.tenure.commit_outcomes = commit


def sends_not_awaited() -> None:
    """Commits a transaction without awaiting the sends of its records."""

    async def commit(
        producer: AIOKafkaProducer, tp: TopicPartition, tracker: OffsetTracker, batch: Sequence[Outcome], *, group: str
    ) -> None:
        finished = {outcome.offset for outcome in batch}
        async with producer.transaction():
            for record in (record for outcome in batch for record in outcome.records):
                sent = await producer.send(record.topic, record.value, key=record.key)
                sent.add_done_callback(lambda done: done.exception())
            await commit_with(producer, group, tp, tracker.point(finished))
        tracker.commit(finished)

    consumer.worker.group.tenure.commit_outcomes = commit


def ids_per_process() -> None:
    """Takes transactional ids that no other worker has, so that nobody is fenced."""

    def make_producer(self: GroupClient, tp: TopicPartition) -> AIOKafkaProducer:
        return make_transactional_producer(self.kafka, f"{self.names.group}.{uuid.uuid4()}")

    GroupClient.make_producer = make_producer


def committed_before_start() -> None:
    """Reads the committed point before the partition's former owner is fenced."""
    make_producer, find = GroupClient.make_producer, StartingPoints.find
    started: dict[AIOKafkaProducer, Callable[[], Any]] = {}

    def make_later(self: GroupClient, tp: TopicPartition) -> AIOKafkaProducer:
        producer = make_producer(self, tp)
        started[producer] = producer.start
        producer.start = lambda: asyncio.sleep(0)
        return producer

    async def find_first(self: StartingPoints, tp: TopicPartition, producer: AIOKafkaProducer) -> CommitPoint:
        point = await consumer.worker.group.starting_points.committed_point(self._consumer, tp)
        await started.pop(producer)()
        return point or await find(self, tp, producer)

    GroupClient.make_producer, StartingPoints.find = make_later, find_first


def bare_committed() -> None:
    """Believes the client library's `committed`, even when it says that nothing is committed."""

    async def committed_point(member: AIOKafkaConsumer, tp: TopicPartition) -> CommitPoint | None:
        found = (await member._coordinator.fetch_committed_offsets([tp])).get(tp)
        return CommitPoint(found.offset, found.metadata) if found else None

    async def no_results(self: StartingPoints) -> set[int]:
        return set()

    consumer.worker.group.starting_points.committed_point = committed_point
    StartingPoints._partitions_with_results = no_results


def no_metadata_guard() -> None:
    """Joins without knowing the topic, and takes an empty assignment for a right one."""
    messaging.connection.METADATA_MAX_AGE_MS = 300_000  # the library's default
    GroupClient.knows_topic = True


def dropped_offset() -> None:
    """Forgets the lowest unfinished offset when others are unfinished."""

    def point(self: OffsetTracker, finished: set[int] = frozenset()) -> CommitPoint:
        unfinished = [offset for offset in self._unfinished if offset not in finished]
        return CommitPoint.of(unfinished[1:] or unfinished, self._next)

    OffsetTracker.point = point


def read_uncommitted() -> None:
    """Answers records of aborted transactions too."""

    def make(*args: Any, **options: Any) -> AIOKafkaConsumer:
        return make_consumer(*args, **options, isolation_level="read_uncommitted")

    consumer.worker.group.client.make_consumer = make


MUTANTS: dict[str, Callable[[], None]] = {
    mutant.__name__: mutant
    for mutant in (
        auto_commit, sends_not_awaited, ids_per_process, committed_before_start, bare_committed, no_metadata_guard,
        dropped_offset, read_uncommitted,
    )
}  # fmt: skip


async def _send(producer: AIOKafkaProducer, batch: Sequence[Outcome]) -> None:
    sends = [await producer.send(r.topic, r.value, key=r.key) for outcome in batch for r in outcome.records]
    await asyncio.gather(*sends)
