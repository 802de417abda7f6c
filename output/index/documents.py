"""Keeps the complete documents, and the documents that the sink has to look at again."""

from collections.abc import Iterable, Iterator

from ledger.promise import Promise
from output.index.database import Database
from output.index.ledger import LedgerTable
from output.index.rows import Written
from schemas import decode, encode

PAGE = 200


class DocumentTable:
    """Has the newest complete version of each document. A document is due when something of it has changed."""

    def __init__(self, db: Database, ledger: LedgerTable) -> None:
        self._db = db
        self._ledger = ledger

    def due(self, limit: int = PAGE) -> list[tuple[str, int]]:
        """Returns ids of due documents, each with the mark of its last change; the oldest change comes first."""
        rows = self._db.rows("SELECT document, mark FROM due ORDER BY mark LIMIT :limit", limit=limit)
        return [(document, mark) for document, mark in rows]

    def make_due(self, documents: Iterable[str]) -> None:
        """Makes documents due."""
        with self._db.transaction():
            self.mark_due(documents)

    def mark_due(self, documents: Iterable[str]) -> None:
        """Makes documents due inside a transaction: each gets a mark higher than all others."""
        first = self._db.rows("SELECT ifnull(max(mark), 0) + 1 FROM due")[0][0]
        for mark, document in enumerate(documents, start=first):
            self._db.insert("due", {"document": document, "mark": mark}, replacing="mark")

    def settle(self, document: str, mark: int) -> None:
        """Ends the due state with this mark. A change that came meanwhile has a higher mark and stays due."""
        with self._db.transaction():
            self._settle(document, mark)

    def settle_written(self, written: Written, mark: int) -> None:
        """Settles a document whose newest complete version is `written` now."""
        document = written.promise.document
        row = {
            "document": document.id, "source": document.source, "path": document.path,
            "promise": encode(written.promise), "name": written.name, "formats": " ".join(sorted(written.formats)),
            "replaced": written.replaced, "pairs": written.pairs, "rejected": written.rejected,
            "failed": written.failed,
        }  # fmt: skip
        with self._db.transaction():
            self._delete(document.id)
            self._db.insert("documents", row)
            self._settle(document.id, mark)

    def settle_removed(self, document: str, mark: int) -> None:
        """Settles a document that has no complete version and no file any more."""
        with self._db.transaction():
            self._delete(document)
            self._settle(document, mark)

    def written(self, document: str) -> Written | None:
        """Returns the newest complete version of the document with that id."""
        rows = self._db.rows(
            "SELECT promise, name, formats, replaced, pairs, rejected, failed FROM documents "
            "WHERE document = :document",
            document=document,
        )
        for promise, name, formats, *counts in rows:
            return Written(decode(Promise, promise), name, frozenset(formats.split()), *counts)
        return None

    def all_written(self) -> Iterator[Written]:
        """Yields all complete documents, ordered by source and path."""
        query = (
            "SELECT source, path, document FROM documents "
            "WHERE (source, path, document) > (:source, :path, :document) ORDER BY source, path, document LIMIT :page"
        )
        source = path = document = ""
        while rows := self._db.rows(query, source=source, path=path, document=document, page=PAGE):
            source, path, document = rows[-1]
            yield from filter(None, (self.written(found) for _, _, found in rows))

    def age(self, document: str) -> tuple[int, int] | None:
        """Returns version and generation of the newest complete version of the document with that id."""
        written = self.written(document)
        return written.promise.age if written else None

    def _delete(self, document: str) -> None:
        self._db.execute("DELETE FROM documents WHERE document = :document", {"document": document})

    def _settle(self, document: str, mark: int) -> None:
        values = {"document": document, "mark": mark}
        self._db.execute("DELETE FROM due WHERE document = :document AND mark = :mark", values)
        entry = self._ledger.entry(document)
        if entry is not None:
            self._ledger.set_waiting(entry, self.age(document))
