"""`.qastream/index.sqlite`: where each outcome is in the segments, what the ledger promises, which files are written.

Nothing in it is the truth: what it says of outcomes comes from the segments, of promises from qa.files, of files from
documents/. It is behind after a crash and catches up; missing, damaged or of another version, it is built again.
"""

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from consumer.sink.errors import IndexDamagedError
from consumer.sink.ledger import Promise, promise_of
from consumer.sink.segments import Segment, StoredRecord
from schemas import FileState, LedgerEntry, Result, Status, decode

log = logging.getLogger(__name__)
VERSION = 1
BUSY_MS = 30_000
SCHEMA = """
CREATE TABLE segments (
    id INTEGER PRIMARY KEY, topic TEXT, partition INTEGER, first INTEGER, last INTEGER,
    size INTEGER, records INTEGER, undecodable INTEGER, UNIQUE (topic, partition, first, last)
);
CREATE TABLE outcomes (
    document TEXT, version INTEGER, generation INTEGER, position INTEGER, attempt INTEGER, record_id TEXT, status TEXT,
    pairs INTEGER, rejected INTEGER, segment INTEGER, start INTEGER, length INTEGER,
    PRIMARY KEY (document, version, generation, position)
) WITHOUT ROWID;
CREATE INDEX outcomes_by_segment ON outcomes (segment);
CREATE TABLE answered (
    document TEXT, version INTEGER, generation INTEGER, chunks INTEGER, PRIMARY KEY (document, version, generation)
) WITHOUT ROWID;
CREATE TABLE ledger (document TEXT PRIMARY KEY, entry BLOB, waiting INTEGER) WITHOUT ROWID;
CREATE TABLE ledger_offsets (partition INTEGER PRIMARY KEY, following INTEGER);
CREATE TABLE documents (
    document TEXT PRIMARY KEY, version INTEGER, generation INTEGER, promise BLOB, name TEXT,
    pairs INTEGER, rejected INTEGER, failed INTEGER
) WITHOUT ROWID;
CREATE TABLE due (document TEXT PRIMARY KEY, mark INTEGER);
CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
INSERT INTO totals VALUES ('records', 0), ('undecodable', 0), ('documents', 0), ('pairs', 0), ('waiting', 0);

CREATE TRIGGER answered_first AFTER INSERT ON outcomes BEGIN
    INSERT INTO answered VALUES (new.document, new.version, new.generation, 1)
        ON CONFLICT DO UPDATE SET chunks = chunks + 1;
END;
CREATE TRIGGER segment_in AFTER INSERT ON segments BEGIN
    UPDATE totals SET value = value + new.records WHERE name = 'records';
    UPDATE totals SET value = value + new.undecodable WHERE name = 'undecodable';
END;
CREATE TRIGGER segment_out AFTER DELETE ON segments BEGIN
    UPDATE totals SET value = value - old.records WHERE name = 'records';
    UPDATE totals SET value = value - old.undecodable WHERE name = 'undecodable';
END;
CREATE TRIGGER document_in AFTER INSERT ON documents BEGIN
    UPDATE totals SET value = value + 1 WHERE name = 'documents';
    UPDATE totals SET value = value + new.pairs WHERE name = 'pairs';
END;
CREATE TRIGGER document_out AFTER DELETE ON documents BEGIN
    UPDATE totals SET value = value - 1 WHERE name = 'documents';
    UPDATE totals SET value = value - old.pairs WHERE name = 'pairs';
END;
CREATE TRIGGER waiting_in AFTER INSERT ON ledger BEGIN
    UPDATE totals SET value = value + new.waiting WHERE name = 'waiting';
END;
CREATE TRIGGER waiting_change AFTER UPDATE OF waiting ON ledger BEGIN
    UPDATE totals SET value = value + new.waiting - old.waiting WHERE name = 'waiting';
END;
CREATE TRIGGER waiting_out AFTER DELETE ON ledger BEGIN
    UPDATE totals SET value = value - old.waiting WHERE name = 'waiting';
END;
"""


@dataclass(frozen=True, slots=True)
class Head:
    """What the index keeps of a result."""

    document: str
    version: int
    generation: int
    position: int
    attempt: int
    record_id: str
    status: Status
    pairs: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Located:
    """The last outcome of a chunk, and where its record is."""

    position: int
    record_id: str
    status: Status
    pairs: int
    rejected: int
    segment: Segment
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Written:
    """A complete document, and its file in documents/ where one was written."""

    promise: Promise
    name: str | None
    pairs: int
    rejected: int
    failed: int


@dataclass(frozen=True, slots=True)
class Totals:
    """`documents` are complete ones; `waiting` those that the ledger promises and that are not written yet."""

    records: int
    undecodable: int
    documents: int
    pairs: int
    waiting: int


def head_of(result: Result) -> Head:
    return Head(
        document=result.document.id,
        version=result.document.version,
        generation=result.generation,
        position=result.chunk.index,
        attempt=result.attempt,
        record_id=result.record_id,
        status=result.status,
        pairs=len(result.pairs),
        rejected=len(result.rejected),
    )


class Index:
    """Raises IndexDamagedError where SQLite finds the file damaged; other errors of the disk come as they are."""

    def __init__(self, path: Path) -> None:
        """Opens it, or makes a new one in place of one of another version."""
        self._db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        with _damage():
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")  # a lost transaction is caught up with; a torn one is not
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise IndexDamagedError(f"it has version {version}, this program writes {VERSION}")
        if version == 0:
            with self.transaction() as db:
                for statement in _statements(SCHEMA):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version={VERSION}")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with _damage():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        with _damage():
            return self._db.execute(query, values).fetchall()

    # Segments

    def segments(self) -> dict[Segment, int]:
        """All that are in the index, with their sizes in bytes."""
        rows = self._rows("SELECT topic, partition, first, last, size FROM segments")
        return {Segment(*row[:4]): row[4] for row in rows}

    def add_segment(self, segment: Segment, size: int, records: Iterable[tuple[StoredRecord, Head | None]]) -> None:
        """Take in a segment's records; their documents become due. A later attempt replaces an earlier one."""
        with self.transaction() as db:
            number = db.execute(
                "INSERT INTO segments (topic, partition, first, last, size, records, undecodable) "
                "VALUES (?, ?, ?, ?, ?, 0, 0) RETURNING id",
                (segment.topic, segment.partition, segment.first, segment.last, size),
            ).fetchone()[0]
            counts, documents = [0, 0], set()
            for record, head in records:
                counts[head is None] += 1
                if head is not None:
                    documents.add(head.document)
                    _put_outcome(db, number, record, head)
            _mark_due(db, documents)
            db.execute("DELETE FROM segments WHERE id = ?", (number,))  # the triggers count whole rows
            db.execute(
                "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (number, segment.topic, segment.partition, segment.first, segment.last, size, sum(counts), counts[1]),
            )

    def merge(self, merged: Segment, size: int, parts: list[Segment]) -> None:
        """`merged` is the parts one after the other: what was in them is found in it."""
        with self.transaction() as db:
            rows = [_segment_row(db, part) for part in parts]
            records, undecodable = sum(row[2] for row in rows), sum(row[3] for row in rows)
            _delete_segments(db, parts)
            number = db.execute(
                "INSERT INTO segments (topic, partition, first, last, size, records, undecodable) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (merged.topic, merged.partition, merged.first, merged.last, size, records, undecodable),
            ).fetchone()[0]
            base = 0
            for part_number, part_size, _, _ in rows:
                db.execute(
                    "UPDATE outcomes SET segment = -?, start = start + ? WHERE segment = ?", (number, base, part_number)
                )
                base += part_size
            db.execute("UPDATE outcomes SET segment = ? WHERE segment = -?", (number, number))

    def forget_segments(self, segments: Iterable[Segment]) -> None:
        """They are covered by others, to which their outcomes have moved."""
        with self.transaction() as db:
            _delete_segments(db, segments)

    # The ledger

    def ledger_offsets(self) -> dict[int, int]:
        return dict(self._rows("SELECT partition, following FROM ledger_offsets"))

    def add_ledger(self, entries: Iterable[tuple[str, bytes | None]], offsets: dict[int, int]) -> None:
        """Entries of qa.files by document (None: deleted), in order, and where reading goes on; documents become due."""
        with self.transaction() as db:
            documents = set()
            for document, entry in entries:
                documents.add(document)
                db.execute(
                    "INSERT INTO ledger VALUES (?, ?, 0) ON CONFLICT DO UPDATE SET entry = excluded.entry",
                    (document, entry),
                )
            _mark_due(db, documents)
            for document in documents:
                _set_waiting(db, document)
            db.executemany(
                "INSERT INTO ledger_offsets VALUES (?, ?) ON CONFLICT DO UPDATE SET following = excluded.following",
                offsets.items(),
            )

    def entry(self, document: str) -> LedgerEntry | None:
        rows = self._rows("SELECT entry FROM ledger WHERE document = ? AND entry IS NOT NULL", document)
        return decode(LedgerEntry, rows[0][0]) if rows else None

    def entries(self) -> Iterator[LedgerEntry]:
        """All of them, ordered by document id."""
        for (document,) in self._pages("SELECT document FROM ledger WHERE document > ? ORDER BY document LIMIT 500"):
            if (entry := self.entry(document)) is not None:
                yield entry

    # Outcomes

    def answered(self, promise: Promise) -> int:
        """How many of the promised chunks have an outcome."""
        key = promise.document.id, *promise.age
        rows = self._rows("SELECT chunks FROM answered WHERE document = ? AND version = ? AND generation = ?", *key)
        if not rows or rows[0][0] < promise.chunks:
            return int(rows[0][0]) if rows else 0
        return int(
            self._rows(
                "SELECT count(*) FROM outcomes WHERE document = ? AND version = ? AND generation = ? AND position < ?",
                *key, promise.chunks,
            )[0][0]
        )  # fmt: skip

    def outcomes(self, promise: Promise, *, wanted: str = "1", page: int = 200) -> Iterator[list[Located]]:
        """Last outcomes of the promised chunks in their order, some at a time; `wanted` is a condition in SQL."""
        after = -1
        while True:
            rows = self._rows(
                "SELECT o.position, record_id, status, pairs, rejected, topic, partition, first, last, start, length "
                "FROM outcomes o LEFT JOIN segments s ON s.id = o.segment "
                "WHERE document = ? AND version = ? AND generation = ? AND o.position > ? AND o.position < ? "
                f"AND ({wanted}) ORDER BY o.position LIMIT ?",
                promise.document.id, *promise.age, after, promise.chunks, page,
            )  # fmt: skip
            if not rows:
                return
            after = rows[-1][0]
            yield [_located(row) for row in rows]

    def statuses(self, promise: Promise) -> dict[Status, int]:
        """Number of promised chunks by status of their last outcome."""
        rows = self._rows(
            "SELECT status, count(*) FROM outcomes "
            "WHERE document = ? AND version = ? AND generation = ? AND position < ? GROUP BY status",
            promise.document.id, *promise.age, promise.chunks,
        )  # fmt: skip
        return {Status(status): count for status, count in rows}

    # Documents

    def due(self) -> list[tuple[str, int]]:
        """Documents of which something has changed, with the mark of that change; some at a time."""
        return self._rows("SELECT document, mark FROM due ORDER BY mark LIMIT 100")

    def settle(self, document: str, mark: int, written: Written | None = None, *, removed: bool = False) -> None:
        """What was due is done; unless more has changed since."""
        with self.transaction() as db:
            db.execute("DELETE FROM due WHERE document = ? AND mark = ?", (document, mark))
            if written or removed:
                db.execute("DELETE FROM documents WHERE document = ?", (document,))
            if written:
                _put_document(db, written)
            _set_waiting(db, document)

    def make_due(self, documents: Iterable[str]) -> None:
        with self.transaction() as db:
            _mark_due(db, documents)

    def written(self, document: str) -> Written | None:
        rows = self._rows("SELECT promise, name, pairs, rejected, failed FROM documents WHERE document = ?", document)
        return _written(rows[0]) if rows else None

    def all_written(self) -> Iterator[Written]:
        """All complete documents, ordered by id."""
        for (document,) in self._pages("SELECT document FROM documents WHERE document > ? ORDER BY document LIMIT 500"):
            if (written := self.written(document)) is not None:
                yield written

    def totals(self) -> Totals:
        return Totals(**dict(self._rows("SELECT name, value FROM totals")))

    def _pages(self, query: str) -> Iterator[tuple]:  # type: ignore[type-arg]
        after = ""
        while rows := self._rows(query, after):
            yield from rows
            after = rows[-1][0]
