"""The pause before the next scan, which an event, a user or the end of the process shortens."""

import asyncio
from contextlib import suppress

LEAST_PAUSE_S = 0.05


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
