"""Keeps a copy of qa.files."""

from collections.abc import Iterator

from ledger.promise import promise_of
from output.index.database import Database
from schemas import LedgerEntry, decode, encode

PAGE = 200


class LedgerTable:
    """Has the newest ledger entry of each document, and the offsets at which reading of qa.files goes on."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def offsets(self) -> dict[int, int]:
        """Returns the next offset of qa.files to be read, by partition."""
        return dict(self._db.rows("SELECT partition, following FROM ledger_offsets"))

    def entry(self, document: str) -> LedgerEntry | None:
        """Returns the newest entry of the document with that id."""
        rows = self._db.rows("SELECT entry FROM ledger WHERE document = :document", document=document)
        return decode(LedgerEntry, rows[0][0]) if rows else None

    def entries(self) -> Iterator[LedgerEntry]:
        """Yields the newest entries of all documents, ordered by document id."""
        query = "SELECT document, entry FROM ledger WHERE document > :after ORDER BY document LIMIT :page"
        after = ""
        while rows := self._db.rows(query, after=after, page=PAGE):
            after = rows[-1][0]
            yield from (decode(LedgerEntry, entry) for _, entry in rows)

    def put(self, entry: LedgerEntry) -> None:
        """Replaces the document's entry inside a transaction; `set_waiting` completes the row."""
        row = {"document": entry.document.id, "entry": encode(entry), "waiting": 0}
        self._db.insert("ledger", row, replacing="entry")

    def set_offsets(self, offsets: dict[int, int]) -> None:
        """Notes inside a transaction where reading goes on."""
        for partition, following in offsets.items():
            row = {"partition": partition, "following": following}
            self._db.insert("ledger_offsets", row, replacing="following")

    def set_waiting(self, entry: LedgerEntry, written: tuple[int, int] | None) -> None:
        """Notes inside a transaction whether the entry promises a newer version than the complete one (`written`)."""
        promise = promise_of(entry)
        waiting = promise is not None and (written is None or written < promise.age)
        self._db.execute(
            "UPDATE ledger SET waiting = :waiting WHERE document = :document",
            {"waiting": int(waiting), "document": entry.document.id},
        )
