"""The tasks of one member of the group, so that every task has an owner."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class MemberTasks:
    """Runs tasks. `failure` gets the first error of any of them; `handling` has the tasks that handle a record."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.handling: set[asyncio.Task[None]] = set()
        self.failure: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def start_handling(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self.start(work)
        self.handling.add(task)
        task.add_done_callback(self.handling.discard)  # within `work` it would miss a task that never began
        return task

    async def cancel(self, *, within_s: float) -> None:
        """Cancels all tasks. The wait is bounded, because a commit waits without limit for a broker that is away."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self.failure.done():
            self.failure.set_exception(error)
