"""Which records there are, on topics and on disk: sets that are larger than memory, in a SQLite file."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

Place = Literal["chunks", "topic", "disk"]
EXAMPLES = 5
BATCH = 5000


class Census:
    """Counts each id at each place, with a digest of its bytes; `chunks` are ids of the results that they ask for."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "CREATE TABLE seen (place TEXT, id TEXT, digest BLOB, count INTEGER, PRIMARY KEY (place, id)) "
            "WITHOUT ROWID;"
            "CREATE TABLE letters (id TEXT PRIMARY KEY, letters INTEGER, replays INTEGER) WITHOUT ROWID;"
        )
        self._batch: list[tuple[Place, str, bytes]] = []

    def close(self) -> None:
        self._db.close()

    def add(self, place: Place, record: str, digest: bytes = b"") -> None:
        """Digests of one id that differ make one that equals none."""
        self._batch.append((place, record, digest))
        if len(self._batch) >= BATCH:
            self._flush()

    def add_letter(self, letter: str) -> None:
        self._count_letter(letter, letters=1, replays=0)

    def add_replay(self, letter: str) -> None:
        self._count_letter(letter, letters=0, replays=1)

    def total(self, place: Place) -> int:
        """Records there, doubled ones counted as often as they are there."""
        self._flush()
        return int(self._db.execute("SELECT total(count) FROM seen WHERE place = ?", (place,)).fetchone()[0])

    def doubled(self, place: Place) -> tuple[int, list[str]]:
        """Number of ids that are there more than once, and some of them."""
        return self._found("SELECT id FROM seen WHERE place = ? AND count > 1", place)

    def missing(self, place: Place, other: Place) -> tuple[int, list[str]]:
        """Number of ids at `place` that are not at `other`, and some of them."""
        return self._found(
            "SELECT id FROM seen a WHERE place = ? AND NOT EXISTS "
            "(SELECT 1 FROM seen b WHERE b.place = ? AND b.id = a.id)",
            place, other,
        )  # fmt: skip

    def different(self, place: Place, other: Place) -> tuple[int, list[str]]:
        """Number of ids that are at both with different bytes, and some of them."""
        return self._found(
            "SELECT a.id FROM seen a JOIN seen b ON a.id = b.id "
            "WHERE a.place = ? AND b.place = ? AND a.digest != b.digest",
            place, other,
        )  # fmt: skip

    def unreplayed(self) -> int:
        """Letters that no replay speaks of."""
        return int(self._db.execute("SELECT count(*) FROM letters WHERE letters > 0 AND replays = 0").fetchone()[0])

    def _found(self, query: str, *values: str) -> tuple[int, list[str]]:
        self._flush()
        count, examples = 0, []
        for (record,) in self._db.execute(query, values):
            count += 1
            if count <= EXAMPLES:
                examples.append(record)
        return count, examples

    def _flush(self) -> None:
        self._insert(self._batch)
        self._batch = []

    def _insert(self, rows: Iterable[tuple[Place, str, bytes]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO seen VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1, "
            "digest = CASE WHEN digest = excluded.digest THEN digest ELSE place END",
            rows,
        )
        self._db.execute("COMMIT")

    def _count_letter(self, letter: str, *, letters: int, replays: int) -> None:
        self._db.execute(
            "INSERT INTO letters VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
            "letters = letters + excluded.letters, replays = replays + excluded.replays",
            (letter, letters, replays),
        )
