"""Single flight: equal calls under way at the same time are one call."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """A flight belongs to nobody who waits for it: who is cancelled leaves it to the others, and to the cache."""

    def __init__(self) -> None:
        self._flying: dict[str, asyncio.Task[T]] = {}

    async def join(self, key: str, start: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """The result of the flight `key`, started if there is none; True when it was started here."""
        task = self._flying.get(key)
        leads = task is None
        if task is None:
            task = asyncio.create_task(_run(start))
            self._flying[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(task), leads

    def _land(self, key: str, task: asyncio.Task[T]) -> None:
        del self._flying[key]
        if not task.cancelled():
            task.exception()  # seen: if nobody waits any more, there is nobody to tell

    async def cancel(self) -> None:
        """End all flights; each aborts its request at the server."""
        tasks = list(self._flying.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run(start: Callable[[], Awaitable[T]]) -> T:
    return await start()
