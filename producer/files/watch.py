"""Native file events as hints: each one only brings the next scan forward.

Watchers lose files: their queues overflow, a directory appears with files in it before it is watched, and one name that
is not UTF-8 ends them. An event therefore only tells that something changed; the scan finds out what it was.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from watchfiles import awatch

log = logging.getLogger(__name__)


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
