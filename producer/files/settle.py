"""Settling: a file is read once its size and time have stayed the same for a while."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from producer.files.source import Found

NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Look:
    """`settled` files can be read. The `waiting` ones need another look in `due_s` seconds; None if none waits."""

    settled: tuple[Found, ...]
    waiting: tuple[Found, ...]
    due_s: float | None


class Settling:
    """Compares successive looks at the files of a source.

    A file has settled when two looks at least `settle_ms` apart saw the same size and time. With `trust_mtime` one look
    is enough at a file that was last written that long ago. Without it the file's time is not trusted, because a copy
    may carry the time of its original before it is complete.
    """

    def __init__(self, settle_ms: int, *, trust_mtime: bool) -> None:
        self._settle_ns = settle_ms * 1_000_000
        self._trust_mtime = trust_mtime
        self._since: Mapping[str, tuple[Found, int]] = {}

    def look(self, files: Iterable[Found], *, clock_ns: int, wall_ns: int) -> Look:
        """Divide `files` into settled and waiting ones. A file that is missing this time starts anew if it returns."""
        since: dict[str, tuple[Found, int]] = {}
        settled, lefts_ns = [], []
        for found in files:
            before = self._since.get(found.path)
            began = before[1] if before and before[0] == found else clock_ns
            left = self._left_ns(found, clock_ns - began, wall_ns)
            if left <= 0:
                settled.append(found)
            else:
                since[found.path] = (found, began)
                lefts_ns.append(left)
        self._since = since
        waiting = tuple(found for found, _ in since.values())
        return Look(tuple(settled), waiting, min(lefts_ns) / NS if lefts_ns else None)

    def _left_ns(self, found: Found, still_ns: int, wall_ns: int) -> int:
        if self._trust_mtime and found.mtime_ns <= wall_ns:
            still_ns = max(still_ns, wall_ns - found.mtime_ns)
        return self._settle_ns - still_ns
