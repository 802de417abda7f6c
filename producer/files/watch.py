"""The time of the next scan. Native file events are hints: each one only brings the next scan forward.

Watchers lose files: their queues overflow, a directory appears with files in it before it is watched, and one name that
is not UTF-8 ends them. An event therefore only tells that something changed; the scan finds out what it was.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from watchfiles import awatch

LEAST_PAUSE_S = 0.05
log = logging.getLogger(__name__)


class Alarm:
    """Ends a pause early, because something may have changed or the process has to stop."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._called = asyncio.Event()
        self._stopped = asyncio.Event()

    @property
    def stopping(self) -> bool:
        return self._stopped.is_set()

    def ring(self) -> None:
        self._rung.set()

    def call(self) -> None:
        """Ring for a user who waits: the pause ends at once, without its shortest duration."""
        self._called.set()
        self._rung.set()

    def stop(self) -> None:
        self._stopped.set()
        self.call()

    async def wait_for_stop(self) -> None:
        await self._stopped.wait()

    async def pause(self, most_s: float, *, least_s: float = LEAST_PAUSE_S) -> None:
        """Wait until `ring`, for `least_s` to `most_s` seconds. `call` and `stop` end the pause at once."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._called.wait(), least_s)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), max(0.0, most_s - least_s))
        self._rung.clear()
        if not self.stopping:
            self._called.clear()


async def hint(root: Path, ring: Callable[[], None], *, retry_s: float) -> None:
    """Call `ring` at every native event below `root`, until cancelled.

    Where events fail, it warns once and tries again after `retry_s` seconds; until then the periodic scans must do.
    """
    warned = False
    while True:
        try:
            async for _ in awatch(root, watch_filter=None, debounce=50, step=10):
                ring()
        except Exception as exc:  # noqa: BLE001 - events are only hints, so no error of theirs matters
            log.log(logging.DEBUG if warned else logging.WARNING, "no file events (%s): new files wait for a scan", exc)
            warned = True
        ring()
        await asyncio.sleep(retry_s)
