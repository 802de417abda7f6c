"""The watched directory against the ledger: is what was published what is there?"""

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
    """Of one source. Feed it all ledger entries, then ask."""

    def __init__(self, root: Path, source: str) -> None:
        """`source` empty: the name that a producer gives the directory."""
        self._root = root
        self._source = source or source_name(root)
        self._sources: set[str] = set()
        self._known: set[str] = set()
        self.gone = Difference("files of the ledger are not in --input-dir")
        self.changed = Difference("files of --input-dir have other content than the ledger says")
        self.unpublished = Difference("files of --input-dir are not published to their end")

    def add(self, entry: LedgerEntry) -> None:
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
        """Raises SettingsError where all that the ledger has is of other sources: nothing was compared."""
        if self._sources and self._source not in self._sources:
            known = ", ".join(sorted(self._sources)[:EXAMPLES]) + (", …" if len(self._sources) > EXAMPLES else "")
            raise SettingsError(
                f"--input-dir {self._root}: the ledger has no document of source {self._source}, only of {known}. "
                "Name the one under which this directory was published: --source"
            )

    def unknown(self) -> int:
        """Files that the ledger does not know: left alone by the producer, or not taken yet."""
        return sum(path not in self._known for path in _files(self._root))


def _digest(path: Path) -> str | None:
    """SHA-256 of a regular file's bytes; None where there is none that can be read."""
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
