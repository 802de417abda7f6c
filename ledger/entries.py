"""The newest ledger entry of each document of one source, in memory."""

from collections.abc import Container, Iterator

from ledger.needs import FileNeed, Outline, Rules, SeenFile, need_of, outline_of
from ledger.packing import pack, unpack
from ledger.transitions import PRESENT
from schemas import FileState, LedgerEntry, decode
from schemas.ids import document_id


class Ledger:
    """The newest entry of each document of one source, by path. Entries are packed: half a million must fit."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._outlines: dict[str, Outline] = {}
        self._packed: dict[str, bytes] = {}
        self._unreadable: dict[str, str] = {}

    def put(self, entry: LedgerEntry, value: bytes) -> None:
        """Takes `entry` as the newest of its document; `value` is the entry, encoded."""
        path = entry.document.path
        self._outlines[path], self._packed[path] = outline_of(entry), pack(value)

    def entry(self, path: str) -> LedgerEntry | None:
        packed = self._packed.get(path)
        return decode(LedgerEntry, unpack(packed)) if packed else None

    def entries(self) -> Iterator[LedgerEntry]:
        return (decode(LedgerEntry, unpack(packed)) for packed in self._packed.values())

    def state(self, path: str) -> FileState | None:
        outline = self._outlines.get(path)
        return outline.state if outline else None

    def set_aside(self, unreadable: dict[str, str]) -> None:
        """Drops documents whose newest entry can't be read, given the reason by document id. Call it once, at last."""
        self._unreadable = unreadable
        if unreadable:
            for path in [path for path in self._outlines if self.unreadable(path)]:
                del self._outlines[path], self._packed[path]

    def unreadable(self, path: str) -> str | None:
        """Returns the reason why the newest entry of a document can't be read; None where it can."""
        return self._unreadable.get(self.document_id(path)) if self._unreadable else None

    def done(self, file: SeenFile, rules: Rules) -> bool:
        """Tells whether `file` needs nothing. Every scan asks it for every file, so it decodes no entry."""
        return need_of(self._outlines.get(file.path), file, rules) is FileNeed.NOTHING

    def absent(self, paths: Container[str]) -> Iterator[str]:
        """Yields the paths of documents that had a file, by the ledger, and that are not among `paths`."""
        return (path for path, outline in self._outlines.items() if outline.state in PRESENT and path not in paths)

    def document_id(self, path: str) -> str:
        return document_id(self.source, path)
