"""Keeps a sink's index: the places of outcomes in the segments, the promises of the ledger, and the written files.

Nothing in the index is the truth: outcomes come from the segments, promises from qa.files, files from documents/. After
a crash the index is behind and catches up; a missing, damaged or older index is built again. Tables: schema.sql.
"""

from collections.abc import Iterable
from pathlib import Path

from output.index.database import Database
from output.index.documents import DocumentTable
from output.index.ledger import LedgerTable
from output.index.outcomes import OutcomeTable
from output.index.rows import IndexTotals
from output.index.segments import SegmentTable
from output.segments.naming import Segment
from output.segments.records import StoredRecord
from schemas import LedgerEntry, Result


class Index:
    """Has the tables of an index, and makes the two changes that concern several of them."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Opens the index, and makes it first where there is none, unless it is `read_only`."""
        self._db = Database(path, read_only=read_only)
        self.segments = SegmentTable(self._db)
        self.outcomes = OutcomeTable(self._db)
        self.ledger = LedgerTable(self._db)
        self.documents = DocumentTable(self._db, self.ledger)

    def close(self) -> None:
        self._db.close()

    def add_segment(self, segment: Segment, size: int, records: Iterable[tuple[StoredRecord, Result | None]]) -> None:
        """Takes in all records of a segment of `size` bytes, each with its result if it is one."""
        with self._db.transaction():
            number = self.segments.insert(segment, size)
            decoded, undecodable, documents = 0, 0, set()
            for record, result in records:
                if result is None:
                    undecodable += 1
                else:
                    decoded += 1
                    documents.add(result.document.id)
                    self.outcomes.put(number, record, result)
            self.segments.count(number, records=decoded + undecodable, undecodable=undecodable)
            self.documents.mark_due(documents)

    def add_entries(self, entries: Iterable[LedgerEntry], offsets: dict[int, int]) -> None:
        """Takes in entries of qa.files in their order. `offsets` has the next offset to be read, by partition."""
        newest = {entry.document.id: entry for entry in entries}
        with self._db.transaction():
            for document, entry in newest.items():
                self.ledger.put(entry)
                self.ledger.set_waiting(entry, self.documents.age(document))
            self.documents.mark_due(newest)
            self.ledger.set_offsets(offsets)

    def totals(self) -> IndexTotals:
        """Returns numbers of records, documents and pairs in the output directory."""
        return IndexTotals(**dict(self._db.rows("SELECT name, value FROM totals")))
