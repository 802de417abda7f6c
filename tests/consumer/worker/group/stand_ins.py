"""Handlers that need no model."""

import asyncio

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


def record(offset: int) -> Record:
    return Record("t.chunks", 0, offset, b"", b"")
