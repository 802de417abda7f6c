"""Keeps sets of the records on topics and on disk in a SQLite file, since they may not fit into memory."""

import sqlite3
from pathlib import Path
from typing import Literal

Place = Literal["chunks", "topic", "disk"]
EXAMPLES = 5
BATCH = 5000


class Census:
    """Counts ids at each place, with a digest of the record's bytes. A chunk counts under the id of its result."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "CREATE TABLE seen (place TEXT, id TEXT, digest BLOB, count INTEGER, PRIMARY KEY (place, id)) "
            "WITHOUT ROWID;"
            "CREATE TABLE letters (id TEXT PRIMARY KEY, letters INTEGER, replays INTEGER) WITHOUT ROWID;"
        )
        self._batch: list[dict[str, object]] = []

    def close(self) -> None:
        self._db.close()

    def add(self, place: Place, record: str, digest: bytes = b"") -> None:
        """Counts a record. An id whose digests differ gets a digest that equals no other."""
        self._batch.append({"place": place, "id": record, "digest": digest})
        if len(self._batch) >= BATCH:
            self._flush()

    def add_letter(self, letter: str) -> None:
        self._count_letter(letter, letters=1, replays=0)

    def add_replay(self, letter: str) -> None:
        self._count_letter(letter, letters=0, replays=1)

    def total(self, place: Place) -> int:
        """Returns the number of records at a place, repeated ids included."""
        self._flush()
        query = "SELECT total(count) FROM seen WHERE place = :place"
        return int(self._db.execute(query, {"place": place}).fetchone()[0])

    def doubled(self, place: Place) -> tuple[int, list[str]]:
        """Returns the number of ids that are at a place more than once, and some of these ids."""
        return self._found("SELECT id FROM seen WHERE place = :place AND count > 1", place=place)

    def missing(self, place: Place, other: Place) -> tuple[int, list[str]]:
        """Returns the number of ids at `place` that are not at `other`, and some of these ids."""
        return self._found(
            "SELECT id FROM seen a WHERE place = :place AND NOT EXISTS "
            "(SELECT 1 FROM seen b WHERE b.place = :other AND b.id = a.id)",
            place=place,
            other=other,
        )

    def different(self, place: Place, other: Place) -> tuple[int, list[str]]:
        """Returns the number of ids that are at both places with different bytes, and some of these ids."""
        return self._found(
            "SELECT a.id FROM seen a JOIN seen b ON a.id = b.id "
            "WHERE a.place = :place AND b.place = :other AND a.digest != b.digest",
            place=place,
            other=other,
        )

    def unreplayed(self) -> int:
        """Returns the number of dead letters that have not been replayed."""
        return int(self._db.execute("SELECT count(*) FROM letters WHERE letters > 0 AND replays = 0").fetchone()[0])

    def _found(self, query: str, **values: str) -> tuple[int, list[str]]:
        self._flush()
        count, examples = 0, []
        for (record,) in self._db.execute(query, values):
            count += 1
            if count <= EXAMPLES:
                examples.append(record)
        return count, examples

    def _flush(self) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO seen (place, id, digest, count) VALUES (:place, :id, :digest, 1) "
            "ON CONFLICT DO UPDATE SET count = count + 1, "
            "digest = CASE WHEN digest = excluded.digest THEN digest ELSE place END",
            self._batch,
        )
        self._db.execute("COMMIT")
        self._batch = []

    def _count_letter(self, letter: str, *, letters: int, replays: int) -> None:
        self._db.execute(
            "INSERT INTO letters (id, letters, replays) VALUES (:id, :letters, :replays) ON CONFLICT DO UPDATE SET "
            "letters = letters + excluded.letters, replays = replays + excluded.replays",
            {"id": letter, "letters": letters, "replays": replays},
        )
