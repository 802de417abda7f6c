"""The state of one model server as a worker remembers it, with its transitions. No I/O."""

import asyncio
from contextlib import suppress


class EndpointState:
    """One server's state. A server is away until it has answered for the first time.

        away ──came_back──▶ answering ──lost──▶ away

    Pausing is independent of that: a paused endpoint gets no new calls, whether it answers or not. `root` is what the
    server has loaded under the model's name; None before its first answer. `explained` is true once the log has said
    why the server is away. Moments of the monotonic clock: `answered_s`, when the last tokens came, which alone prove
    that the engine behind the API works; and `busy_until_s`, up to which other users are expected to have requests at
    the server all the time.
    """

    def __init__(self) -> None:
        self.away = True
        self.paused = False
        self.root: str | None = None
        self.explained = False
        self._loss = asyncio.Event()
        self._died: asyncio.Future[bool] | None = None
        self.answered_s = self.busy_until_s = float("-inf")

    def came_back(self, root: str) -> None:
        """Away → answering: the server has loaded `root`."""
        self.away = False
        self.root = root

    def lost(self) -> bool:
        """Answering → away; wakes the watcher. Returns False if the server was away already."""
        self.explained = True
        if self.away:
            return False
        self.away = True
        self._died = asyncio.get_running_loop().create_future()
        self._loss.set()
        return True

    def looked(self, *, back: bool) -> None:
        """Takes note of a look at a server that is away. The first look after a loss shows whether the server died."""
        if self._died is not None and not self._died.done():
            self._died.set_result(not back)

    async def died(self) -> bool:
        """Waits until it is known, and tells if the server died at its last loss: it did not if it answers at once."""
        return self._died is not None and await asyncio.shield(self._died)

    async def wait_for_loss(self, *, within_s: float) -> None:
        """Returns at the next loss, at the latest after `within_s` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._loss.wait()
        self._loss.clear()
