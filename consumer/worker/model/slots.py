"""Who may call which server when: the slots of all endpoints, under limits that change while callers wait."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Place(Protocol):
    """What has slots: an endpoint. Fields are read whenever somebody waits."""

    @property
    def limit(self) -> int: ...
    @property
    def away(self) -> bool: ...


P = TypeVar("P", bound=Place)


@dataclass(slots=True, eq=False)
class _Waiter(Generic[P]):
    alone: bool
    prefers: Callable[[], P | None]
    granted: asyncio.Future[P] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Slots(Generic[P]):
    """First come, first served, at the place with the smallest share of its limit in use.

    `alone` waits until nothing else is under way at a place, and lets nothing else begin there.
    """

    def __init__(self, places: list[P]) -> None:
        self._places = places
        self._in_use: dict[P, int] = dict.fromkeys(places, 0)
        self._alone: set[P] = set()
        self._waiting: deque[_Waiter[P]] = deque()

    def in_use(self, place: P) -> int:
        return self._in_use[place]

    @asynccontextmanager
    async def slot(self, *, alone: bool = False, prefers: Callable[[], P | None] = lambda: None) -> AsyncIterator[P]:
        """A place that is not away; `prefers` may name one, which is taken if it has room."""
        waiter = _Waiter(alone, prefers)
        self._waiting.append(waiter)
        try:
            self.look()
            place = await waiter.granted
        except BaseException:
            self._forget(waiter)
            raise
        try:
            yield place
        finally:
            self._release(place)

    def look(self) -> None:
        """Serve who waits; call it when a limit was raised or a place came back."""
        while self._waiting:
            waiter = self._waiting[0]
            if waiter.granted.done():
                self._waiting.popleft()
                continue
            place = self._choose(waiter)
            if place is None:
                return
            self._waiting.popleft()
            self._in_use[place] += 1
            if waiter.alone:
                self._alone.add(place)
            waiter.granted.set_result(place)

    def _choose(self, waiter: _Waiter[P]) -> P | None:
        free = [place for place in self._places if self._has_room(place, alone=waiter.alone)]
        preferred = waiter.prefers()
        if preferred is not None and preferred in free:
            return preferred
        return min(free, key=lambda place: (self._in_use[place] + 1) / place.limit, default=None)

    def _has_room(self, place: P, *, alone: bool) -> bool:
        if place.away or place.limit < 1 or place in self._alone:  # paused, it has a limit of 0
            return False
        return self._in_use[place] == 0 if alone else self._in_use[place] < place.limit

    def _forget(self, waiter: _Waiter[P]) -> None:
        if waiter.granted.done() and not waiter.granted.cancelled():  # granted and cancelled in the same moment
            self._release(waiter.granted.result())
        else:
            waiter.granted.cancel()
            self.look()

    def _release(self, place: P) -> None:
        self._in_use[place] -= 1
        self._alone.discard(place)
        self.look()
