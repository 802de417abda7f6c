"""`index.sqlite` of a sink: where each outcome is in the segments, what the ledger promises, which files are written.

Nothing in it is the truth: what it says of outcomes comes from the segments, of promises from qa.files, of files from
documents/. After a crash it is behind and catches up; missing, damaged or of another version, it is built again.
Tables: index.sql.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from ledger.promise import Promise, promise_of
from output.errors import IndexDamagedError
from output.index.rows import Answers, Head, Located, Totals, Written
from output.segments.naming import Segment, StoredRecord
from schemas import LedgerEntry, Status, decode, encode

VERSION = 2
SCHEMA = Path(__file__).with_name("schema.sql")
BUSY_S = 30.0
PAGE = 200
Part = Literal["all", "pairs", "rejected", "failed"]
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Index:
    """Raises IndexDamagedError where SQLite finds the file damaged; other errors of the disk come as they are."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open it, or make it where there is none."""
        place = f"file:{path.absolute().as_posix()}?mode={'ro' if read_only else 'rwc'}"
        self._db = sqlite3.connect(place.replace("#", "%23"), uri=True, isolation_level=None, timeout=BUSY_S)
        try:
            self._prepare(read_only=read_only)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, *, read_only: bool) -> None:
        version = self._rows("PRAGMA user_version")[0][0]
        if version not in (0, VERSION) or (read_only and version == 0):
            raise IndexDamagedError(f"it has version {version}, this program writes {VERSION}")
        if read_only:
            return
        self._rows("PRAGMA journal_mode=WAL")
        self._rows("PRAGMA synchronous=NORMAL")  # a lost transaction is caught up with
        if version == 0:
            with _damage_named():
                self._db.executescript(f"BEGIN; {SCHEMA.read_text()} PRAGMA user_version={VERSION}; COMMIT;")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _damage_named():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with _damage_named():
            return self._db.execute(query, values).fetchall()

    # Segments

    def segments(self) -> dict[Segment, int]:
        """All that are in the index, with their sizes in bytes."""
        rows = self._rows("SELECT topic, partition, first, last, size FROM segments")
        return {Segment(*row[:4]): row[4] for row in rows}

    def add_segment(self, segment: Segment, size: int, records: Iterable[tuple[StoredRecord, Head | None]]) -> None:
        """Take in a segment's records (None: undecodable); their documents become due.

        A later attempt replaces an earlier one, and the same one its earlier place.
        """
        with self._transaction() as db:
            number = _insert_segment(db, segment, size)
            undecodable, decoded, documents = 0, 0, set()
            for record, head in records:
                if head is None:
                    undecodable += 1
                else:
                    decoded += 1
                    documents.add(head.document)
                    _put_outcome(db, number, record, head)
            _count_segment(db, number, decoded + undecodable, undecodable)
            _mark_due(db, documents)

    def merge(self, merged: Segment, size: int, parts: list[Segment]) -> None:
        """`merged` is the parts one after the other: what was in them is found in it."""
        with self._transaction() as db:
            number, base, records, undecodable = _insert_segment(db, merged, size), 0, 0, 0
            for part in parts:
                old = _segment_row(db, part)
                moved = (number, base, old["id"])
                db.execute("UPDATE outcomes SET segment = ?, start = start + ? WHERE segment = ?", moved)
                base, records = base + old["size"], records + old["records"]
                undecodable += old["undecodable"]
                _delete_segment(db, part)
            _count_segment(db, number, records, undecodable)

    def forget_segments(self, segments: Iterable[Segment]) -> None:
        """Others cover them, to which their outcomes have moved."""
        with self._transaction() as db:
            for segment in segments:
                _delete_segment(db, segment)

    # The ledger

    def ledger_offsets(self) -> dict[int, int]:
        return dict(self._rows("SELECT partition, following FROM ledger_offsets"))

    def add_ledger(self, entries: Iterable[LedgerEntry], offsets: dict[int, int]) -> None:
        """Entries of qa.files in their order, and where reading goes on; their documents become due."""
        with self._transaction() as db:
            newest = {entry.document.id: entry for entry in entries}
            for document, entry in newest.items():
                db.execute(
                    "INSERT INTO ledger VALUES (?, ?, 0) ON CONFLICT DO UPDATE SET entry = excluded.entry",
                    (document, encode(entry)),
                )
                _set_waiting(db, document, entry)
            _mark_due(db, newest)
            db.executemany(
                "INSERT INTO ledger_offsets VALUES (?, ?) ON CONFLICT DO UPDATE SET following = excluded.following",
                offsets.items(),
            )

    def entry(self, document: str) -> LedgerEntry | None:
        return _entry(self._db, document)

    def entries(self) -> Iterator[LedgerEntry]:
        """All of them, by document id."""
        after = ""
        while rows := self._rows(
            "SELECT document, entry FROM ledger WHERE document > ? ORDER BY 1 LIMIT ?", after, PAGE
        ):
            after = rows[-1][0]
            for _, entry in rows:
                yield decode(LedgerEntry, entry)

    # Outcomes

    def answers(self, promise: Promise) -> Answers:
        """How many of the promised chunks have an outcome."""
        key = promise.document.id, *promise.age
        query = "SELECT chunks, replaced FROM answered WHERE document = ? AND version = ? AND generation = ?"
        rows = self._rows(query, *key)
        if not rows or rows[0][0] < promise.chunks:
            return Answers(*rows[0]) if rows else Answers()
        query = "SELECT count(*) FROM outcomes WHERE document = ? AND version = ? AND generation = ? AND position < ?"
        return Answers(self._rows(query, *key, promise.chunks)[0][0], rows[0][1])

    def describe(self, promise: Promise, name: str | None, formats: Iterable[str] = ()) -> Written:
        """The complete document, with the counts of its last outcomes."""
        query = (
            "SELECT total(pairs), total(rejected), total(status = 'failed') FROM outcomes "
            "WHERE document = ? AND version = ? AND generation = ? AND position < ?"
        )
        pairs, rejected, failed = self._rows(query, promise.document.id, *promise.age, promise.chunks)[0]
        replaced = self.answers(promise).replaced
        return Written(promise, name, frozenset(formats), replaced, int(pairs), int(rejected), int(failed))

    def outcomes(self, promise: Promise, part: Part = "all", *, start: int = 0) -> Iterator[Located]:
        """Last outcomes of the promised chunks in their order: all of them, or those that have a part in it."""
        query = (
            "SELECT o.position, record_id, status, pairs, rejected, start, length, topic, partition, first, last "
            "FROM outcomes o LEFT JOIN segments s ON s.id = o.segment "
            "WHERE document = ? AND version = ? AND generation = ? AND o.position > ? AND o.position < ? "
            "AND CASE ? WHEN 'all' THEN 1 WHEN 'pairs' THEN pairs > 0 WHEN 'rejected' THEN rejected > 0 "
            "ELSE status = 'failed' END ORDER BY o.position LIMIT ?"
        )
        after = start - 1
        while rows := self._rows(query, promise.document.id, *promise.age, after, promise.chunks, part, PAGE):
            after = rows[-1][0]
            yield from map(_located, rows)

    def outcome(self, promise: Promise, position: int) -> Located | None:
        """Where the outcome of that chunk is now: a merge may have moved it."""
        return next((found for found in self.outcomes(promise, start=position) if found.position == position), None)

    def statuses(self, promise: Promise) -> dict[Status, int]:
        """Number of promised chunks by status of their last outcome."""
        query = (
            "SELECT status, count(*) FROM outcomes "
            "WHERE document = ? AND version = ? AND generation = ? AND position < ? GROUP BY status"
        )
        rows = self._rows(query, promise.document.id, *promise.age, promise.chunks)
        return {Status(status): count for status, count in rows}

    # Documents

    def due(self, limit: int = PAGE) -> list[tuple[str, int]]:
        """Documents of which something has changed, with the mark of that change; the longest waiting first."""
        return [(row[0], row[1]) for row in self._rows("SELECT document, mark FROM due ORDER BY mark LIMIT ?", limit)]

    def make_due(self, documents: Iterable[str]) -> None:
        with self._transaction() as db:
            _mark_due(db, documents)

    def settle(self, document: str, mark: int) -> None:
        """Nothing is to be done for what had become due; more may have since."""
        with self._transaction() as db:
            _settle(db, document, mark)

    def settle_written(self, written: Written, mark: int) -> None:
        """It is the newest complete version of its document now."""
        document = written.promise.document
        counts = (written.replaced, written.pairs, written.rejected, written.failed)
        files = (written.name, " ".join(sorted(written.formats)))
        row = (document.id, document.source, document.path, encode(written.promise), *files, *counts)
        with self._transaction() as db:
            db.execute("DELETE FROM documents WHERE document = ?", (document.id,))
            db.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            _settle(db, document.id, mark)

    def settle_removed(self, document: str, mark: int) -> None:
        """It has no complete version and no file any more."""
        with self._transaction() as db:
            db.execute("DELETE FROM documents WHERE document = ?", (document,))
            _settle(db, document, mark)

    def written(self, document: str) -> Written | None:
        return _written(self._db, document)

    def all_written(self) -> Iterator[Written]:
        """All complete documents, by source and path."""
        query = (
            "SELECT source, path, document FROM documents WHERE (source, path, document) > (?, ?, ?) "
            "ORDER BY source, path, document LIMIT ?"
        )
        after: tuple[str, ...] = ("", "", "")
        while rows := self._rows(query, *after, PAGE):
            after = rows[-1]
            yield from filter(None, (self.written(document) for _, _, document in rows))

    def totals(self) -> Totals:
        return Totals(**dict(self._rows("SELECT name, value FROM totals")))


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as exc:
        if getattr(exc, "sqlite_errorcode", 0) & 0xFF in DAMAGE:
            raise IndexDamagedError(str(exc)) from exc
        raise


def _insert_segment(db: sqlite3.Connection, segment: Segment, size: int) -> int:
    row = (segment.topic, segment.partition, segment.first, segment.last, size)
    cursor = db.execute("INSERT INTO segments VALUES (NULL, ?, ?, ?, ?, ?, 0, 0)", row)
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _segment_row(db: sqlite3.Connection, segment: Segment) -> dict[str, int]:
    row = db.execute(
        "SELECT id, size, records, undecodable FROM segments "
        "WHERE topic = ? AND partition = ? AND first = ? AND last = ?",
        (segment.topic, segment.partition, segment.first, segment.last),
    ).fetchone()
    if row is None:
        raise IndexDamagedError(f"it does not know results/{segment.name}")
    return dict(zip(("id", "size", "records", "undecodable"), row, strict=True))


def _count_segment(db: sqlite3.Connection, number: int, records: int, undecodable: int) -> None:
    db.execute("UPDATE segments SET records = ?, undecodable = ? WHERE id = ?", (records, undecodable, number))
    _add_totals(db, records, undecodable)


def _delete_segment(db: sqlite3.Connection, segment: Segment) -> None:
    row = _segment_row(db, segment)
    db.execute("DELETE FROM segments WHERE id = ?", (row["id"],))
    _add_totals(db, -row["records"], -row["undecodable"])


def _add_totals(db: sqlite3.Connection, records: int, undecodable: int) -> None:
    db.execute("UPDATE totals SET value = value + ? WHERE name = 'records'", (records,))
    db.execute("UPDATE totals SET value = value + ? WHERE name = 'undecodable'", (undecodable,))


def _put_outcome(db: sqlite3.Connection, number: int, record: StoredRecord, head: Head) -> None:
    db.execute(
        "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "attempt = excluded.attempt, record_id = excluded.record_id, status = excluded.status, "
        "pairs = excluded.pairs, rejected = excluded.rejected, "
        "segment = excluded.segment, start = excluded.start, length = excluded.length "
        "WHERE excluded.attempt >= attempt",
        (
            head.document, head.version, head.generation, head.position, head.attempt, head.record_id, head.status,
            head.pairs, head.rejected, number, record.start, record.length,
        ),
    )  # fmt: skip


def _located(row: tuple[Any, ...]) -> Located:
    position, record_id, status, pairs, rejected, start, length, *segment = row
    if segment[0] is None:
        raise IndexDamagedError(f"record {record_id} is in a segment that it does not know")
    return Located(position, record_id, Status(status), pairs, rejected, Segment(*segment), start, length)


def _mark_due(db: sqlite3.Connection, documents: Iterable[str]) -> None:
    mark = db.execute("SELECT ifnull(max(mark), 0) + 1 FROM due").fetchone()[0]
    for offset, document in enumerate(documents):
        db.execute(
            "INSERT INTO due VALUES (?, ?) ON CONFLICT DO UPDATE SET mark = excluded.mark", (document, mark + offset)
        )


def _settle(db: sqlite3.Connection, document: str, mark: int) -> None:
    db.execute("DELETE FROM due WHERE document = ? AND mark = ?", (document, mark))
    entry = _entry(db, document)
    if entry is not None:
        _set_waiting(db, document, entry)


def _set_waiting(db: sqlite3.Connection, document: str, entry: LedgerEntry) -> None:
    promise, written = promise_of(entry), _written(db, document)
    waiting = promise is not None and (written is None or written.promise.age < promise.age)
    db.execute("UPDATE ledger SET waiting = ? WHERE document = ?", (int(waiting), document))


def _entry(db: sqlite3.Connection, document: str) -> LedgerEntry | None:
    with _damage_named():
        row = db.execute("SELECT entry FROM ledger WHERE document = ?", (document,)).fetchone()
    return None if row is None else decode(LedgerEntry, row[0])


def _written(db: sqlite3.Connection, document: str) -> Written | None:
    with _damage_named():
        row = db.execute(
            "SELECT promise, name, formats, replaced, pairs, rejected, failed FROM documents WHERE document = ?",
            (document,),
        ).fetchone()
    return None if row is None else Written(decode(Promise, row[0]), row[1], frozenset(row[2].split()), *row[3:])
