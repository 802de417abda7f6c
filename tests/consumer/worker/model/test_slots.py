import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from consumer.worker.model.slots import Slots


@dataclass(eq=False)
class Server:
    limit: int
    away: bool = False


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Caller:
    """Holds a slot until told to let go."""

    def __init__(self, slots: Slots, **how):
        self.place, self._go = None, asyncio.Event()
        self.task = asyncio.create_task(self._call(slots, how))

    async def _call(self, slots: Slots, how) -> None:
        async with slots.slot(**how) as self.place:
            await self._go.wait()

    async def leave(self) -> None:
        self._go.set()
        await self.task
        await settle()


async def test_no_more_than_the_limit_and_first_come_first_served():
    slots = Slots([server := Server(2)])
    callers = [Caller(slots) for _ in range(4)]
    await settle()
    assert [caller.place is not None for caller in callers] == [True, True, False, False]
    await callers[1].leave()
    assert [caller.place is not None for caller in callers] == [True, True, True, False]
    assert slots.in_use(server) == 2
    server.limit = 3
    slots.look()
    await settle()
    assert callers[3].place is server
    for caller in (callers[0], callers[2], callers[3]):
        await caller.leave()
    assert slots.in_use(server) == 0


async def test_the_place_with_the_smallest_share_in_use_is_taken():
    slots = Slots([big := Server(30), small := Server(10)])
    callers = [Caller(slots) for _ in range(20)]
    await settle()
    assert (slots.in_use(big), slots.in_use(small)) == (15, 5)
    for caller in callers:
        await caller.leave()


async def test_a_place_that_is_away_is_waited_for():
    slots = Slots([server := Server(1, away=True)])
    caller = Caller(slots)
    await settle()
    assert caller.place is None
    server.away = False
    slots.look()
    await settle()
    assert caller.place is server
    await caller.leave()


async def test_alone_means_nothing_else_before_or_beside():
    slots = Slots([Server(5)])
    first, alone, after = Caller(slots), Caller(slots, alone=True), Caller(slots)
    await settle()
    assert [c.place is not None for c in (first, alone, after)] == [True, False, False]
    await first.leave()
    assert [c.place is not None for c in (alone, after)] == [True, False]
    await alone.leave()
    assert after.place is not None
    await after.leave()


async def test_a_preferred_place_is_taken_if_it_has_room():
    slots = Slots([one := Server(1), other := Server(1)])
    callers = [Caller(slots, prefers=lambda: other) for _ in range(2)]
    await settle()
    assert [caller.place for caller in callers] == [other, one]
    for caller in callers:
        await caller.leave()


@pytest.mark.parametrize("when", ["waiting", "granted"])
async def test_who_is_cancelled_gives_up_the_place(when):
    slots = Slots([server := Server(1)])
    async with AsyncExitStack() as stack:
        holder = await stack.enter_async_context(slots.slot())
        assert holder is server
        cancelled, after = Caller(slots), Caller(slots)
        await settle()
        if when == "waiting":
            cancelled.task.cancel()
            await settle()
    if when == "granted":
        cancelled.task.cancel()
    await settle()
    assert after.place is server
    await after.leave()
    assert slots.in_use(server) == 0


async def test_a_paused_place_is_not_free_for_who_would_be_alone():
    """Neither when it is idle nor when the last call there ends; nor is that call harmed."""
    slots = Slots([server := Server(4)])
    first = Caller(slots)
    await settle()
    server.limit = 0
    alone, after = Caller(slots, alone=True), Caller(slots)
    await first.leave()
    assert (alone.place, after.place, slots.in_use(server)) == (None, None, 0)
    server.limit = 4
    slots.look()
    await settle()
    assert (alone.place, after.place) == (server, None)
    await alone.leave()
    await after.leave()
    assert slots.in_use(server) == 0


async def test_who_asks_in_vain_leaves_nobody_in_the_queue():
    def broken():
        raise RuntimeError

    slots = Slots([server := Server(1)])
    with pytest.raises(RuntimeError):
        async with slots.slot(prefers=broken):
            raise AssertionError
    async with asyncio.timeout(30), slots.slot() as place:
        assert place is server
