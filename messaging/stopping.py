"""Waits that a stop signal ends, because a broker may stay away for ever, and how a task is ended."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class StoppedError(Exception):
    """The stop signal came during a wait."""


async def unless_stopped(work: Coroutine[Any, Any, T], stop: asyncio.Event) -> T:
    """Return the result of `work`. If the signal comes first, end `work` and raise StoppedError."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise StoppedError
    finally:
        task.cancel()
        stopped.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended, because the Kafka client swallows a cancellation while it closes."""
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=1)
