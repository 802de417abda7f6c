"""The two kinds of transaction that a worker commits: outcomes with their offsets, and a partition's first offset."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer, TopicPartition

from configs.failpoints import hit
from consumer.worker.group.offsets import OffsetTracker
from consumer.worker.outcome import Outcome
from messaging.committed import CommitPoint, commit_with


async def commit_outcomes(
    producer: AIOKafkaProducer, tp: TopicPartition, tracker: OffsetTracker, outcomes: Sequence[Outcome], *, group: str
) -> None:
    """Commits the outcomes' records and the offsets of their input in one transaction.

    Every send is awaited, because a failed send does not make the commit fail. After an error, discard the producer.
    """
    finished = {outcome.offset for outcome in outcomes}
    await producer.begin_transaction()
    hit("worker.flush.begun")
    sends = [
        await producer.send(record.topic, record.value, key=record.key, headers=list(record.headers) or None)
        for outcome in outcomes
        for record in outcome.records
    ]
    for sent in await asyncio.gather(*sends, return_exceptions=True):
        if isinstance(sent, BaseException):
            raise sent
    hit("worker.flush.sent")
    await commit_with(producer, group, tp, tracker.point(finished))
    hit("worker.flush.offsets")
    await producer.commit_transaction()
    hit("worker.flush.committed")
    tracker.commit(finished)


async def commit_first_point(producer: AIOKafkaProducer, tp: TopicPartition, point: CommitPoint, *, group: str) -> None:
    """Commits the first offset of a partition. Afterwards a missing offset is an error: it was lost."""
    await producer.begin_transaction()
    await commit_with(producer, group, tp, point)
    hit("worker.first.offsets")
    await producer.commit_transaction()
    hit("worker.first.committed")
