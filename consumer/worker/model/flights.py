"""Single flight: equal calls that are under way at the same time are one call."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
StillWanted = Callable[[], bool]
"""True while somebody waits for the result of a flight."""


class UnwantedError(Exception):
    """The flight was given up before it cost anything, because nobody waited for it any more."""


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class Flights(Generic[T]):
    """Flights by key. A flight outlives a caller that is cancelled: its result is for the others, and for the cache."""

    def __init__(self) -> None:
        self._flying: dict[str, _Flight[T]] = {}

    def waiting(self, key: str) -> int:
        """The number of callers that wait for the flight `key`."""
        return self._flying[key].waiting if key in self._flying else 0

    async def join(self, key: str, start: Callable[[StillWanted], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """Returns the flight's result, and whether this caller started it. If none is under way, `start` begins one.

        `start` may raise UnwantedError while nobody waits. A caller that joins at that moment begins the flight again.
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

    async def cancel(self) -> None:
        """Ends all flights; each takes its request back from the server."""
        tasks = [flight.task for flight in self._flying.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, key: str, start: Callable[[StillWanted], Coroutine[Any, Any, T]]) -> _Flight[T]:
        flight = _Flight(asyncio.create_task(start(lambda: flight.waiting > 0)))
        self._flying[key] = flight
        flight.task.add_done_callback(lambda _: self._land(key, flight))
        return flight

    def _land(self, key: str, flight: _Flight[T]) -> None:
        self._forget(key, flight)
        if not flight.task.cancelled():
            flight.task.exception()  # seen: if nobody waits any more, there is nobody to tell

    def _forget(self, key: str, flight: _Flight[T]) -> None:
        """Removes the flight, unless a caller that joined between its end and its landing has begun another."""
        if self._flying.get(key) is flight:
            del self._flying[key]
