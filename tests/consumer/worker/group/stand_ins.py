"""Stand-ins for what the group is joined with: a handler that is not asked, an observer that only counts."""

import asyncio
from collections.abc import Sequence

from consumer.worker.outcome import Outcome
from messaging.record import Record


class NeverHandles:
    """Fails the test when it is asked to handle a record; `finish` takes `finish_s` seconds."""

    ready = True

    def __init__(self, *, finish_s: float = 0.0) -> None:
        self._finish_s = finish_s

    async def handle(self, record: Record) -> Outcome:
        raise AssertionError(record)

    async def finish(self) -> None:
        await asyncio.sleep(self._finish_s)


class HandlesAtOnce(NeverHandles):
    async def handle(self, record: Record) -> Outcome:
        return Outcome(record.offset, ())


class CountingObserver:
    def __init__(self) -> None:
        self.rebalances = 0
        self.failures = 0
        self.offsets: list[int] = []

    def rebalanced(self) -> None:
        self.rebalances += 1

    def committed(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        self.offsets += [outcome.offset for outcome in outcomes]

    def failed(self) -> None:
        self.failures += 1


def record(offset: int) -> Record:
    return Record("t.chunks", 0, offset, b"", b"")
