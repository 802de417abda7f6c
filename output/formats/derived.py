"""Defines what a format of complete documents has to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Protocol

from ledger.promise import Promise
from output.index.tables import Index
from output.segments.lookup import SegmentFiles


class Derived(Protocol):
    """A format has one file for each complete document, made from the document's outcomes in the segments.

    The sink writes a file again when the document's promise or one of its outcomes has changed, and when the file is
    missing. So no file is ever changed in place, and a removed file comes back.

    A new format is one class in a file of this folder, one line in registry.py, and its name in `SinkSettings.formats`.
    """

    name: ClassVar[str]
    """The format's name in --formats."""
    folder: ClassVar[str]
    """The directory of the files, below the output directory."""
    suffix: ClassVar[str]
    """The end of file names. The names of a document's files in different formats differ only in it."""

    def check(self) -> None:
        """Raises SettingsError for a package that is not installed. It is called before anything starts."""
        return

    def load(self) -> None:
        """Imports packages that take a second or more, so that no event loop has to wait for them later."""
        return

    def render(self, promise: Promise, index: Index, files: SegmentFiles) -> Iterator[bytes]:
        """Returns the file in pieces of a few records at most, so that it never has to fit into memory.

        `index` says where the outcomes of the promised chunks are, `files` reads them. The same outcomes give the same
        bytes. Raises IndexDamagedError where a record is not at its place: then the sink builds the index again, and
        asks for the file again.
        """
        ...

    def promise_in(self, path: Path) -> Promise | None:
        """Returns the promise that the file at `path` was made of; None where it is missing or not such a file."""

    def is_current(self, path: Path, promise: Promise, index: Index, files: SegmentFiles) -> bool:
        """Tells whether the file at `path` has the content that `render` would give now. Raises IndexDamagedError."""
        ...
