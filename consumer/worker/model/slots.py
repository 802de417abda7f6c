"""Who may call which endpoint when: the slots of all endpoints, under limits that change while callers wait."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class SlotOwner(Protocol):
    """An endpoint has slots: `limit` calls at a time, none while it is `away`. Both are read at each decision."""

    @property
    def limit(self) -> int: ...
    @property
    def away(self) -> bool: ...


Owner = TypeVar("Owner", bound=SlotOwner)


@dataclass(slots=True, eq=False)
class _Waiter(Generic[Owner]):
    alone: bool
    prefers: Callable[[], Owner | None]
    granted: asyncio.Future[Owner] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Slots(Generic[Owner]):
    """Callers are served in the order of their coming, at the owner with the smallest share of its limit in use.

    A caller that wants to be alone waits until nothing else is under way at an owner, and nothing else begins there.
    """

    def __init__(self, owners: list[Owner]) -> None:
        self._owners = owners
        self._in_use: dict[Owner, int] = dict.fromkeys(owners, 0)
        self._alone: set[Owner] = set()
        self._waiting: deque[_Waiter[Owner]] = deque()

    def in_use(self, owner: Owner) -> int:
        return self._in_use[owner]

    @asynccontextmanager
    async def slot(
        self, *, alone: bool = False, prefers: Callable[[], Owner | None] = lambda: None
    ) -> AsyncIterator[Owner]:
        """Waits for a slot and gives its owner, which is the one that `prefers` names if that has room."""
        waiter = _Waiter(alone, prefers)
        self._waiting.append(waiter)
        try:
            self.look()
            owner = await waiter.granted
        except BaseException:
            self._forget(waiter)
            raise
        try:
            yield owner
        finally:
            self._release(owner)

    def look(self) -> None:
        """Serves callers that wait; call it when a limit was raised or an owner came back."""
        while self._waiting:
            waiter = self._waiting[0]
            if not waiter.granted.done():
                owner = self._choose(waiter)
                if owner is None:
                    return
                self._in_use[owner] += 1
                if waiter.alone:
                    self._alone.add(owner)
                waiter.granted.set_result(owner)
            self._waiting.popleft()

    def _choose(self, waiter: _Waiter[Owner]) -> Owner | None:
        free = [owner for owner in self._owners if self._has_room(owner, alone=waiter.alone)]
        preferred = waiter.prefers()
        if preferred is not None and preferred in free:
            return preferred
        return min(free, key=lambda owner: (self._in_use[owner] + 1) / owner.limit, default=None)

    def _has_room(self, owner: Owner, *, alone: bool) -> bool:
        if owner.away or owner.limit < 1 or owner in self._alone:  # a paused owner has a limit of 0
            return False
        return self._in_use[owner] == 0 if alone else self._in_use[owner] < owner.limit

    def _forget(self, waiter: _Waiter[Owner]) -> None:
        if waiter.granted.done() and not waiter.granted.cancelled():  # granted and cancelled in the same moment
            self._release(waiter.granted.result())
        else:
            waiter.granted.cancel()
            self.look()

    def _release(self, owner: Owner) -> None:
        self._in_use[owner] -= 1
        self._alone.discard(owner)
        self.look()
