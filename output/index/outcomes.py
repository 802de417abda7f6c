"""Keeps the last outcome of each chunk, and the place of its record in the segments."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from ledger.promise import Promise
from output.errors import IndexDamagedError
from output.index.database import Database
from output.index.rows import Answers, Located, Written
from output.segments.naming import Segment
from output.segments.records import StoredRecord
from schemas import Result, Status

PAGE = 200
OutcomeFilter = Literal["all", "pairs", "rejected", "failed"]
"""Outcomes to select: all, or only with kept pairs, with rejected pairs, or of failed chunks."""
PROMISED = "document = :document AND version = :version AND generation = :generation AND position < :chunks"


class OutcomeTable:
    """Has the last outcome of each chunk, by document, version, generation and the chunk's position."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, segment: int, record: StoredRecord, result: Result) -> None:
        """Notes a result inside a transaction, unless there is one of a later attempt. `segment` is its row id."""
        self._db.execute(
            "INSERT INTO outcomes (document, version, generation, position, attempt, record_id, status, "
            "pairs, rejected, segment, start, length) VALUES (:document, :version, :generation, :position, :attempt, "
            ":record_id, :status, :pairs, :rejected, :segment, :start, :length) ON CONFLICT DO UPDATE SET "
            "attempt = excluded.attempt, record_id = excluded.record_id, status = excluded.status, "
            "pairs = excluded.pairs, rejected = excluded.rejected, "
            "segment = excluded.segment, start = excluded.start, length = excluded.length "
            "WHERE excluded.attempt >= attempt",
            {**_row(result), "segment": segment, "start": record.start, "length": record.length},
        )

    def answers(self, promise: Promise) -> Answers:
        """Returns the number of promised chunks that have an outcome."""
        values = _of(promise)
        rows = self._db.rows(
            "SELECT chunks, replaced FROM answered "
            "WHERE document = :document AND version = :version AND generation = :generation",
            **values,
        )
        if not rows or rows[0][0] < promise.chunks:
            return Answers(*rows[0]) if rows else Answers()
        counted = self._db.rows(f"SELECT count(*) FROM outcomes WHERE {PROMISED}", **values)  # noqa: S608 - no outside text
        return Answers(counted[0][0], rows[0][1])

    def describe(self, promise: Promise, name: str | None, formats: Iterable[str] = ()) -> Written:
        """Returns a complete document with the counts of its last outcomes, for `DocumentTable.settle_written`."""
        query = f"SELECT total(pairs), total(rejected), total(status = 'failed') FROM outcomes WHERE {PROMISED}"  # noqa: S608 - no outside text
        pairs, rejected, failed = map(int, self._db.rows(query, **_of(promise))[0])
        replaced = self.answers(promise).replaced
        return Written(promise, name, frozenset(formats), replaced, pairs, rejected, failed)

    def of(self, promise: Promise, only: OutcomeFilter = "all", *, start: int = 0) -> Iterator[Located]:
        """Yields the last outcomes of the promised chunks from position `start` on, in the order of the chunks."""
        query = (
            "SELECT position, record_id, status, pairs, rejected, start, length, topic, partition, first, last "  # noqa: S608 - no outside text
            f"FROM outcomes LEFT JOIN segments ON segments.id = outcomes.segment WHERE {PROMISED} "
            "AND position > :after AND CASE :only WHEN 'all' THEN 1 WHEN 'pairs' THEN pairs > 0 "
            "WHEN 'rejected' THEN rejected > 0 ELSE status = 'failed' END ORDER BY position LIMIT :page"
        )
        after = start - 1
        while rows := self._db.rows(query, **_of(promise), after=after, only=only, page=PAGE):
            after = rows[-1][0]
            yield from map(_located, rows)

    def at(self, promise: Promise, position: int) -> Located | None:
        """Returns the outcome of one chunk at its present place, to which a merge may have moved it."""
        return next((found for found in self.of(promise, start=position) if found.position == position), None)

    def statuses(self, promise: Promise) -> dict[Status, int]:
        """Returns the number of promised chunks by the status of their last outcome."""
        query = f"SELECT status, count(*) FROM outcomes WHERE {PROMISED} GROUP BY status"  # noqa: S608 - no outside text
        return {Status(status): count for status, count in self._db.rows(query, **_of(promise))}


def _of(promise: Promise) -> dict[str, object]:
    version, generation = promise.age
    return {"document": promise.document.id, "version": version, "generation": generation, "chunks": promise.chunks}


def _row(result: Result) -> dict[str, object]:
    document, chunk = result.document, result.chunk
    return {
        "document": document.id, "version": document.version, "generation": result.generation, "position": chunk.index,
        "attempt": result.attempt, "record_id": result.record_id, "status": result.status,
        "pairs": len(result.pairs), "rejected": len(result.rejected),
    }  # fmt: skip


def _located(row: tuple[Any, ...]) -> Located:
    position, record_id, status, pairs, rejected, start, length, *segment = row
    if segment[0] is None:
        raise IndexDamagedError(f"record {record_id} is in a segment that it does not know")
    return Located(position, record_id, Status(status), pairs, rejected, Segment(*segment), start, length)
