"""The slots of all endpoints, under limits that change while callers wait for one."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from consumer.worker.model.endpoint import ModelEndpoint

Prefers = Callable[[], ModelEndpoint | None]


@dataclass(slots=True, eq=False)
class _Waiter:
    alone: bool
    prefers: Prefers
    granted: asyncio.Future[ModelEndpoint] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Slots:
    """Callers are served in the order of their coming, at the endpoint with the smallest share of its limit in use.

    A caller that wants to be alone waits until nothing else is under way at an endpoint, and nothing else begins there.
    """

    def __init__(self, endpoints: list[ModelEndpoint]) -> None:
        self._endpoints = endpoints
        self._in_use: dict[ModelEndpoint, int] = dict.fromkeys(endpoints, 0)
        self._alone: set[ModelEndpoint] = set()
        self._waiting: deque[_Waiter] = deque()

    def in_use(self, endpoint: ModelEndpoint) -> int:
        return self._in_use[endpoint]

    @asynccontextmanager
    async def slot(self, *, alone: bool = False, prefers: Prefers = lambda: None) -> AsyncIterator[ModelEndpoint]:
        """Waits for a slot and gives its endpoint, which is the one that `prefers` names if that has room."""
        waiter = _Waiter(alone, prefers)
        self._waiting.append(waiter)
        try:
            self.look()
            endpoint = await waiter.granted
        except BaseException:
            self._forget(waiter)
            raise
        try:
            yield endpoint
        finally:
            self._release(endpoint)

    def look(self) -> None:
        """Serves callers that wait; call it when a limit was raised or an endpoint came back."""
        while self._waiting:
            waiter = self._waiting[0]
            if not waiter.granted.done():
                endpoint = self._choose(waiter)
                if endpoint is None:
                    return
                self._in_use[endpoint] += 1
                if waiter.alone:
                    self._alone.add(endpoint)
                waiter.granted.set_result(endpoint)
            self._waiting.popleft()

    def _choose(self, waiter: _Waiter) -> ModelEndpoint | None:
        free = [endpoint for endpoint in self._endpoints if self._has_room(endpoint, alone=waiter.alone)]
        preferred = waiter.prefers()
        if preferred is not None and preferred in free:
            return preferred
        return min(free, key=lambda endpoint: (self._in_use[endpoint] + 1) / endpoint.limit, default=None)

    def _has_room(self, endpoint: ModelEndpoint, *, alone: bool) -> bool:
        if endpoint.away or endpoint.limit < 1 or endpoint in self._alone:  # a paused endpoint has a limit of 0
            return False
        return self._in_use[endpoint] == 0 if alone else self._in_use[endpoint] < endpoint.limit

    def _forget(self, waiter: _Waiter) -> None:
        if waiter.granted.done() and not waiter.granted.cancelled():  # granted and cancelled in the same moment
            self._release(waiter.granted.result())
        else:
            waiter.granted.cancel()
            self.look()

    def _release(self, endpoint: ModelEndpoint) -> None:
        self._in_use[endpoint] -= 1
        self._alone.discard(endpoint)
        self.look()
