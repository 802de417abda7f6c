"""The contract of a source of files: the place that the producer takes its texts from.

The watched directory (`directory`) is the first implementation. Another one, such as a bucket of objects, is one more
module beside it and a line in `producer.app.make_parts`. Only the source knows what `Found.place` means.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class Found:
    """A file as a scan saw it. `path` names its document; `place` tells the source where to open it.

    `linked` is true when the path is a second name of a file that has a path of its own.
    """

    path: str
    place: str
    size_bytes: int
    mtime_ns: int
    linked: bool = False


@dataclass(slots=True)
class Listing:
    """The result of a scan. `problems` and `skipped` give a reason for each path.

    A file in `problems` could not be read this time. A file in `skipped` is of a kind that is never read.
    """

    files: list[Found] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


class SourceFile(Protocol):
    """One open file. A `with` statement closes it. Every method raises OSError when the source can't be reached."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def read(self, size_bytes: int, /) -> bytes:
        """The next bytes, at most `size_bytes`; empty at the end of the file."""

    def rewind(self) -> None:
        """The next `read` starts at the first byte again."""

    def beginning(self, size_bytes: int) -> bytes:
        """The first bytes of the file, at most `size_bytes`. The place of the next `read` stays as it was."""

    def check_unchanged(self) -> None:
        """Raise ChangedError unless the file still has the size and the time that the scan saw.

        It is called after the last byte was read, so that a chunk never mixes two states of a file.
        """


class Source(Protocol):
    """A place with files. `scan`, `open`, `remove`, `move` and `gone` are called in a thread, one at a time."""

    def scan(self) -> Listing:
        """All wanted files, sorted by path, so that every run takes them in the same order.

        It is called at the start, whenever `watch` rings, and every --scan-interval-s. It raises nothing for a single
        file: the reason goes to `Listing.problems`, is logged once, and the next scan tries again.
        """

    def open(self, found: Found) -> SourceFile:
        """Open a file of the newest scan.

        ChangedError means that the file is gone, or is not the file that was found any more: the next scan sees it
        anew. OSError means that it can't be read now: the producer warns once and tries again after the next scan.
        """

    def remove(self, found: Found) -> None:
        """Delete the file, with --on-done delete, once all its outcomes are on disk.

        Raises as `open` does. Bytes that another program writes in this very moment are lost.
        """

    def move(self, found: Found, target: Path) -> None:
        """Put the file at `target`, a path of this machine where no file is yet, and take it out of the source.

        It is called with --on-done move. After an error the file is still in the source. Raises as `open` does.
        """

    def gone(self, path: str) -> bool:
        """True when no file has the document path `path`; false when the source can't tell at the moment.

        It is asked for documents that a scan did not list, before their ledger entry becomes `vanished`.
        """

    def holds(self, directory: Path) -> bool:
        """True when a directory of this machine lies in the source, so that files moved there would be read again."""

    async def watch(self, ring: Callable[[], None], *, retry_s: float) -> None:
        """Call `ring` when something may have changed, until cancelled: a hint that brings the next scan forward.

        A source without events never calls it. One whose events fail tries again after `retry_s` seconds.
        """
