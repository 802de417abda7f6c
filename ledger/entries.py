"""The newest ledger entry of each document of one source, in memory."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from ledger.needs import Need, Outline, Rules, SeenFile, need_of
from ledger.packing import pack, unpack
from ledger.transitions import PRESENT
from schemas import FileState, LedgerEntry, decode
from schemas.ids import document_id


@dataclass(frozen=True, slots=True)
class _StoredEntry:
    """An entry as the topic has it, packed: half a million files must fit."""

    packed: bytes
    outline: Outline


class Ledger:
    """The newest entry of each document of one source, by path."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._stored: dict[str, _StoredEntry] = {}

    def put(self, entry: LedgerEntry, value: bytes) -> None:
        """Take `entry` as the newest of its document; `value` is the entry, encoded."""
        self._stored[entry.document.path] = _StoredEntry(pack(value), Outline.of(entry))

    def entry(self, path: str) -> LedgerEntry | None:
        stored = self._stored.get(path)
        return decode(LedgerEntry, unpack(stored.packed)) if stored else None

    def entries(self) -> Iterator[LedgerEntry]:
        return (decode(LedgerEntry, unpack(stored.packed)) for stored in self._stored.values())

    def state(self, path: str) -> FileState | None:
        stored = self._stored.get(path)
        return stored.outline.state if stored else None

    def need(self, file: SeenFile, rules: Rules) -> Need:
        """Return what `file` needs. It is asked for every file of every scan, so no entry is decoded for it."""
        stored = self._stored.get(file.path)
        return need_of(stored.outline if stored else None, file, rules)

    def done(self, file: SeenFile, rules: Rules) -> bool:
        """Tell whether `file` needs nothing."""
        return self.need(file, rules) is Need.NOTHING

    def absent(self, paths: Container[str]) -> Iterator[str]:
        """Yield the paths of documents that had a file, by the ledger, and that are not among `paths`."""
        return (path for path, stored in self._stored.items() if stored.outline.state in PRESENT and path not in paths)

    def document_id(self, path: str) -> str:
        return document_id(self.source, path)
