"""Ends of a tenure that are rare on a real broker: a commit without an answer, work dropped before it began."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from configs.settings import load_settings
from consumer.worker.group.client import GroupClient
from consumer.worker.group.handler import Handler
from consumer.worker.group.observing import ObservedTransactions
from consumer.worker.group.tasks import MemberTasks
from consumer.worker.group.tenure import Tenure
from messaging.committed import CommitPoint
from messaging.connection import abandon
from schemas import TopicNames
from telemetry.metrics import WorkerMetrics
from telemetry.telemetry import unseen
from tests.consumer.worker.group.stand_ins import HandlesAtOnce, NeverHandles, record

PLACE = TopicPartition("t.chunks", 0)


class StuckProducer:
    """Does not answer once it is asked to commit. Its sender must be cancelled twice, like the library's."""

    def __init__(self) -> None:
        self.closed = False
        self.committing = asyncio.Event()
        self.client = SimpleNamespace(close=self._close)
        self._message_accumulator, self._txn_manager = SimpleNamespace(_batches={}), None
        self._sender = SimpleNamespace(sender_task=asyncio.ensure_future(self._send()))

    async def start(self) -> None: ...

    async def stop(self) -> None:
        if self.committing.is_set():
            await asyncio.Event().wait()

    async def begin_transaction(self) -> None: ...

    async def send_offsets_to_transaction(self, offsets: Any, group: str) -> None: ...

    async def commit_transaction(self) -> None:
        self.committing.set()
        await asyncio.Event().wait()

    async def _close(self) -> None:
        self.closed = True

    async def _send(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()


class StuckClient(GroupClient):
    """Its producers are stuck, and every partition starts at offset 0."""

    def __init__(self) -> None:
        self.kafka = load_settings({}).kafka
        self.names = TopicNames(self.kafka.namespace)
        self.producers: list[StuckProducer] = []
        self.starting_points = self
        self.consumer = SimpleNamespace(pause=print, seek=print, resume=print)

    def make_producer(self, tp: TopicPartition) -> StuckProducer:
        self.producers.append(StuckProducer())
        return self.producers[-1]

    async def find(self, tp: TopicPartition, producer: StuckProducer) -> CommitPoint:
        return CommitPoint.of([], 0)


@asynccontextmanager
async def started(handler: Handler) -> AsyncIterator[tuple[Tenure, StuckClient, MemberTasks]]:
    """Yields a tenure that may take records in, and whose transactions never end."""
    client, tasks = StuckClient(), MemberTasks()
    tenure = Tenure(PLACE, client, handler, ObservedTransactions(unseen(WorkerMetrics).metrics), tasks, flush_s=0.01)
    tenure.start()
    while not tenure.room:
        await asyncio.sleep(0)
    try:
        yield tenure, client, tasks
    finally:
        tenure.stop()
        await tenure.cut()
        for producer in client.producers:
            await abandon(producer)
        await tasks.cancel(within_s=30)


@pytest.fixture
async def stuck() -> Any:
    """Yields a tenure in the middle of a commit, and its producer."""
    async with started(HandlesAtOnce()) as (tenure, client, _):
        tenure.take_in([record(0)])
        await client.producers[0].committing.wait()
        yield tenure, client.producers[0]


async def test_a_commit_is_not_given_up_when_the_tenure_is_stopped(stuck):
    tenure, _ = stuck
    tenure.stop()
    ending = asyncio.ensure_future(tenure.end())
    done, _ = await asyncio.wait([ending], timeout=0.1)
    assert not done
    ending.cancel()


async def test_after_a_cut_nothing_waits_for_the_commit_any_more(stuck):
    """Otherwise the worker would wait for its tasks without end, and stay a member of the group."""
    tenure, producer = stuck
    tenure.stop()
    ending = asyncio.ensure_future(tenure.end())
    await asyncio.sleep(0)
    ending.cancel()
    await tenure.cut()
    _, late = await asyncio.wait([ending, producer._sender.sender_task], timeout=30)
    assert not late
    assert producer.closed


async def test_work_that_is_dropped_before_it_began_is_in_hand_no_more():
    """Given records taken in, when their tenure ends in the same iteration of the event loop."""
    async with started(NeverHandles()) as (tenure, _, tasks):
        tenure.take_in([record(offset) for offset in (1, 2, 3)])
        assert len(tasks.handling) == 3
        tenure.stop()
        await tenure.end()
        while tasks.handling:
            await asyncio.sleep(0)
        assert not tasks.failure.done()
