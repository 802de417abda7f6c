"""The contract of a source of files: the place that the producer takes its texts from.

The watched directory (`directory`) is the first implementation. Another one, such as a bucket of objects, is one more
module beside it and a line in `producer.app.make_parts`. Only the source knows the meaning of `Found.place`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Found:
    """A file as a scan saw it. `path` names its document; `place` tells the source where to open it.

    `linked`: the path is a symbolic link to another file of the source.
    """

    path: str
    place: str
    size_bytes: int
    mtime_ns: int
    linked: bool = False


@dataclass(slots=True)
class Listing:
    """The result of a scan. `problems` gives, by path, why a file can't be read now; `skipped`, why it never is."""

    files: list[Found] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A place with files. All methods but `watch` are called in threads, one at a time.

    They raise OSError when the source can't be reached or a file can't be read now: the producer warns once, and tries
    again after the next scan. They raise ChangedError when a file is gone or is not the one that was found any more:
    the next scan sees it anew.
    """

    def scan(self) -> Listing:
        """Lists all wanted files by path. Called at the start, when `watch` rings, and every --scan-interval-s.

        It does not raise for a single file, but puts the reason into `problems` or `skipped`.
        """

    def open(self, found: Found) -> BinaryIO:
        """Open a file of the newest scan for reading bytes and seeking."""

    def check_unchanged(self, file: BinaryIO, found: Found) -> None:
        """Raise ChangedError unless an open file still has the size and the time that the scan saw.

        Called after its last byte was read, so that the chunks of a file never mix two states of it.
        """

    def remove(self, found: Found) -> None:
        """Delete a file (--on-done delete). Bytes that another program writes in this moment are lost."""

    def move(self, found: Found, target: Path) -> None:
        """Take a file out of the source (--on-done move) and put it at `target`, a new path of this machine.

        After an error the file is still in the source.
        """

    def gone(self, path: str) -> bool:
        """True when no file has the document path `path`; false when the source can't tell at the moment.

        Asked for documents that a scan did not list, before their ledger entry becomes `vanished`.
        """

    def holds(self, directory: Path) -> bool:
        """True when a directory of this machine lies in the source, so that files moved there would be read again."""

    async def watch(self, ring: Callable[[], None], *, retry_s: float) -> None:
        """Call `ring` whenever something may have changed, until cancelled. A source without events never rings.

        After a failure of its events it tries again in `retry_s` seconds.
        """
