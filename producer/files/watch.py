"""When to look at the directory. Native events are hints: each only brings the next look forward.

Watchers lose files: their queues overflow, directories appear with files in them before they are watched, one name
that is not UTF-8 ends them. So nothing is read from an event but that something happened; a scan finds what.
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
    """Ends a pause early: something may have changed, or the process should end."""

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
        """Ring for somebody who waits: a pause then ends at once."""
        self._called.set()
        self._rung.set()

    def stop(self) -> None:
        self._stopped.set()
        self.call()

    async def wait_for_stop(self) -> None:
        await self._stopped.wait()

    async def pause(self, most_s: float, *, least_s: float = LEAST_PAUSE_S) -> None:
        """Until it rings, `most_s` seconds at most; `least_s` at least, however often it rings. A call ends both."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._called.wait(), least_s)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), max(0.0, most_s - least_s))
        self._rung.clear()
        if not self.stopping:
            self._called.clear()


async def hint(root: Path, ring: Callable[[], None], *, retry_s: float) -> None:
    """Call `ring` at every native event below `root`, until cancelled. Without events the periodic scans have to do."""
    warned = False
    while True:
        try:
            async for _ in awatch(root, watch_filter=None, debounce=50, step=10):
                ring()
        except Exception as exc:  # noqa: BLE001 - whatever it is, events are only hints
            log.log(logging.DEBUG if warned else logging.WARNING, "no file events (%s): new files wait for a scan", exc)
            warned = True
        ring()
        await asyncio.sleep(retry_s)
