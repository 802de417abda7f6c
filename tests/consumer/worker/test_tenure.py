"""The end of a tenure whose commit the broker never answers. What a broker does is tested on real ones."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from consumer.worker.errors import WorkerError
from consumer.worker.outcome import Outcome
from consumer.worker.tenure import Tenure, TenureOptions
from messaging.commit_point import CommitPoint, encode

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
    while not tenure.ready:
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
    _, late = await asyncio.wait([running, ending, producer._sender.sender_task], timeout=5)
    assert not late
    assert producer.closed
