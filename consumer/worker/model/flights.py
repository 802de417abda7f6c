"""Single flight: equal calls under way at the same time are one call."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
StillWanted = Callable[[], bool]
"""True while somebody waits for the result of a flight."""


class UnwantedError(Exception):
    """The flight was given up before it cost anything, since nobody waited for it any more."""


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class Flights(Generic[T]):
    """A flight belongs to nobody who waits for it: who is cancelled leaves it to the others, and to the cache."""

    def __init__(self) -> None:
        self._flying: dict[str, _Flight[T]] = {}

    async def join(self, key: str, start: Callable[[StillWanted], Awaitable[T]]) -> tuple[T, bool]:
        """The result of the flight `key`, started if there is none; True when it was started here.

        What `start` makes may raise UnwantedError if it is not wanted: then who joins meanwhile starts it again.
        """
        while True:
            flight = self._flying.get(key)
            leads = flight is None
            if flight is None:
                flight = self._start(key, start)
            flight.waiting += 1
            try:
                return await asyncio.shield(flight.task), leads
            except UnwantedError:
                self._forget(key, flight)
            finally:
                flight.waiting -= 1

    def waiting(self, key: str) -> int:
        """How many callers wait for the flight `key`."""
        return self._flying[key].waiting if key in self._flying else 0

    def _start(self, key: str, start: Callable[[StillWanted], Awaitable[T]]) -> _Flight[T]:
        flight = _Flight(asyncio.create_task(_run(start, lambda: flight.waiting > 0)))
        self._flying[key] = flight
        flight.task.add_done_callback(lambda _: self._land(key, flight))
        return flight

    def _land(self, key: str, flight: _Flight[T]) -> None:
        self._forget(key, flight)
        if not flight.task.cancelled():
            flight.task.exception()  # seen: if nobody waits any more, there is nobody to tell

    def _forget(self, key: str, flight: _Flight[T]) -> None:
        """Unless another has taken its place: who joined between its end and its landing has started one."""
        if self._flying.get(key) is flight:
            del self._flying[key]

    async def cancel(self) -> None:
        """End all flights; each aborts its request at the server."""
        tasks = [flight.task for flight in self._flying.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run(start: Callable[[StillWanted], Awaitable[T]], wanted: StillWanted) -> T:
    return await start(wanted)
