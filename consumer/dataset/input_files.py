"""The watched directory against the ledger: is what was published what is there?"""

import os
import re
import stat
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

from consumer.dataset.balance import Difference
from schemas import FileState, LedgerEntry
from schemas.paths import unescape

GONE = frozenset({FileState.VANISHED, FileState.FORGOTTEN})


class InputFiles:
    """Of one source. Feed it all ledger entries, then ask."""

    def __init__(self, root: Path, source: str) -> None:
        """`source` empty: the name that a producer gives the directory."""
        self._root = root
        self._source = source or re.sub(r"[^\w.-]+", "-", root.absolute().name).strip("-") or "input"
        self._known: set[str] = set()
        self.gone = Difference("files of the ledger are not in --input-dir")
        self.changed = Difference("files of --input-dir have other content than the ledger says")
        self.unpublished = Difference("files of --input-dir are not published to their end")

    def add(self, entry: LedgerEntry) -> None:
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
