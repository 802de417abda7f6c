"""Compares the files of the watched directory with the ledger."""

import os
import stat
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

from configs.errors import SettingsError
from consumer.dataset.verify.balance import EXAMPLES, Difference
from schemas import FileState, LedgerEntry
from schemas.paths import source_name, unescape

GONE = frozenset({FileState.VANISHED, FileState.FORGOTTEN})


class InputFiles:
    """Compares the files of one source: `add` all ledger entries, then read the differences."""

    def __init__(self, root: Path, source: str) -> None:
        """An empty `source` stands for the name that a producer gives the directory."""
        self._root = root
        self._source = source or source_name(root)
        self._sources: set[str] = set()
        self._known: set[str] = set()
        self.gone = Difference("files of the ledger are not in --input-dir")
        self.changed = Difference("files of --input-dir have other content than the ledger says")
        self.unpublished = Difference("files of --input-dir are not published to their end")

    def add(self, entry: LedgerEntry) -> None:
        """Compares the file of a ledger entry, unless the entry belongs to another source."""
        self._sources.add(entry.document.source)
        if entry.document.source != self._source or entry.state in GONE:
            return
        path = unescape(entry.document.path)
        self._known.add(path)
        digest = _digest(self._root / path)
        if digest is None:
            self.gone.add(entry.document.path)
        elif entry.state in (FileState.PUBLISHING, FileState.ABANDONED):
            self.unpublished.add(entry.document.path)
        elif entry.sha256 is not None and digest != entry.sha256:
            self.changed.add(entry.document.path)

    def check_source(self) -> None:
        """Raises SettingsError where the ledger has other sources only, so that no file was compared."""
        if self._sources and self._source not in self._sources:
            known = ", ".join(sorted(self._sources)[:EXAMPLES]) + (", …" if len(self._sources) > EXAMPLES else "")
            raise SettingsError(
                f"--input-dir {self._root}: the ledger has no document of source {self._source}, only of {known}. "
                "Name the one under which this directory was published: --source"
            )

    def unknown(self) -> int:
        """Counts the files that the ledger does not know: the producer ignores them, or has not read them yet."""
        return sum(path not in self._known for path in _files(self._root))


def _digest(path: Path) -> str | None:
    """Returns the SHA-256 of a regular file's bytes; None where there is no such file, or it can't be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _files(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root)  # noqa: PTH118 - paths as os gives them
