"""Ends of a tenure that a real broker gives too seldom: a commit never answered, work dropped before it began."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from configs.settings import load_settings
from consumer.worker.errors import WorkerError
from consumer.worker.group.membership import Group
from consumer.worker.group.tenure import Tenure, TenureOptions
from consumer.worker.outcome import Outcome
from messaging.commit_point import CommitPoint, encode
from messaging.record import Record
from telemetry.metrics import WorkerMetrics
from telemetry.telemetry import unseen

PLACE = TopicPartition("t.chunks", 0)


class StuckProducer:
    """Starts, and then answers nothing; its sender must be cancelled twice, as the library's."""

    def __init__(self) -> None:
        self.closed = False
        self.committing = asyncio.Event()
        self.client = SimpleNamespace(close=self._close)
        self._sender = SimpleNamespace(sender_task=asyncio.ensure_future(self._send()))

    async def start(self) -> None: ...

    async def stop(self) -> None:
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


@pytest.fixture
async def stuck() -> Any:
    """A tenure in the middle of a commit, its producer, and the task of its `run`."""
    producers: list[StuckProducer] = []

    def make_producer(tp: TopicPartition) -> StuckProducer:
        producers.append(StuckProducer())
        return producers[-1]

    async def starting_point(tp: TopicPartition, producer: StuckProducer) -> CommitPoint:
        return encode([], 0)

    options = TenureOptions(
        group="g",
        flush_s=0.01,
        make_producer=make_producer,
        starting_point=starting_point,
        resume_at=lambda tp, offset: None,
        refused=lambda exc: WorkerError(str(exc)),
    )
    tenure = Tenure(PLACE, options, lambda tp: None)
    running = asyncio.ensure_future(tenure.run())
    while not tenure.room:
        await asyncio.sleep(0)
    tracker = tenure.deliver(0)
    tenure.finish(tracker, Outcome(0, ()))
    await producers[0].committing.wait()
    yield tenure, producers[0], running
    running.cancel()
    await tenure.cut()


async def test_a_commit_is_not_given_up_when_the_tenure_is_cancelled(stuck):
    tenure, _, running = stuck
    running.cancel()
    ending = asyncio.ensure_future(tenure.end())
    done, _ = await asyncio.wait([running, ending], timeout=0.1)
    assert not done
    ending.cancel()


async def test_after_a_cut_nothing_waits_for_the_commit_any_more(stuck):
    """Or the worker would never stop: it waits for its tasks, still a member of the group."""
    tenure, producer, running = stuck
    running.cancel()
    ending = asyncio.ensure_future(tenure.end())
    await asyncio.sleep(0)
    ending.cancel()
    await tenure.cut()
    _, late = await asyncio.wait([running, ending, producer._sender.sender_task], timeout=30)
    assert not late
    assert producer.closed


async def test_work_that_is_dropped_before_it_began_is_in_hand_no_more(stuck):
    """Given records taken in, and in the same turn of the loop the restart of their tenure."""

    async def never(record: Record) -> Outcome:
        raise AssertionError(record)

    tenure, _, running = stuck
    telemetry, settings = unseen(WorkerMetrics), load_settings({})
    group = Group(
        settings.kafka,
        settings.worker,
        None,
        never,
        servers=1,
        may_take_in=lambda: True,
        finish_calls=asyncio.Event().wait,
        telemetry=telemetry,
    )
    group._tenures[PLACE] = (tenure, running)
    group._take_in(PLACE, [Record(*PLACE, offset, b"", b"") for offset in (1, 2, 3)])
    in_hand = telemetry.metrics.in_hand.collect()[0].samples
    assert [sample.value for sample in in_hand] == [3]
    tenure._drop_work()
    while group._tasks:
        await asyncio.sleep(0)
    assert [sample.value for sample in telemetry.metrics.in_hand.collect()[0].samples] == [0]
