"""The tasks of one member of the group, so that each of them has an owner."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class MemberTasks:
    """Runs the member's tasks. `failure` gets the first error of any of them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._handling: set[asyncio.Task[None]] = set()
        self.failure: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @property
    def in_hand(self) -> int:
        """Number of records that are being handled, those of partitions that are lost included."""
        return len(self._handling)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def start_handling(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts `work` on one record, which counts as in hand until the task ends, even if it never began."""
        task = self.start(work)
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)
        return task

    async def cancel(self, *, within_s: float) -> None:
        """Cancels all tasks and waits for their ends for at most `within_s` seconds.

        The wait is bounded because a commit under way waits without limit for a broker that is away.
        """
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self.failure.done():
            self.failure.set_exception(error)
