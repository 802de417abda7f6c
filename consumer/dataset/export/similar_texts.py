"""Texts that are nearly the same as others that came before: MinHash bands in SQLite, candidates compared exactly."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from rensa import RMinHash

from consumer.dataset.export.similarity import PERMUTATIONS, band_rows, fold, jaccard, shingles

SEED = 1
VERIFIED = 200
"""Most candidates compared, those with the most bands in common first."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    number: int
    similarity: float


class Neighbours:
    """One set of texts; several may share a database under different names."""

    def __init__(self, db: sqlite3.Connection, name: str, *, threshold: float) -> None:
        self._db = db
        self._texts, self._bands = f"{name}_texts", f"{name}_bands"
        self._threshold = threshold
        self._rows = band_rows(threshold)
        db.execute(f"CREATE TABLE {self._texts} (number INTEGER PRIMARY KEY, folded TEXT)")
        db.execute(f"CREATE TABLE {self._bands} (key INTEGER, number INTEGER, PRIMARY KEY (key, number)) WITHOUT ROWID")

    def near(self, text: str) -> list[Neighbour]:
        """Those that were added before and reach the threshold, the most similar one first."""
        folded = fold(text)
        own = shingles(folded)
        keys = list(self._keys(own))
        compared = (Neighbour(number, jaccard(own, shingles(other))) for number, other in self._candidates(keys))
        reached = [neighbour for neighbour in compared if neighbour.similarity >= self._threshold]
        return sorted(reached, key=lambda neighbour: (-neighbour.similarity, neighbour.number))

    def add(self, number: int, text: str) -> None:
        folded = fold(text)
        self._db.execute(f"INSERT INTO {self._texts} VALUES (?, ?)", (number, folded))  # noqa: S608 - names of ours
        rows = ((key, number) for key in self._keys(shingles(folded)))
        self._db.executemany(f"INSERT OR IGNORE INTO {self._bands} VALUES (?, ?)", rows)  # noqa: S608

    def _candidates(self, keys: list[int]) -> list[tuple[int, str]]:
        marks = ", ".join("?" * len(keys))
        query = (
            f"SELECT number, folded FROM (SELECT number, count(*) AS common FROM {self._bands} WHERE key IN ({marks}) "  # noqa: S608
            f"GROUP BY number ORDER BY common DESC, number LIMIT {VERIFIED}) JOIN {self._texts} USING (number)"
        )
        return self._db.execute(query, keys).fetchall()

    def _keys(self, own: frozenset[str]) -> Iterator[int]:
        """A key for each band."""
        sketch = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
        sketch.update(list(own))
        values = sketch.digest()
        for start in range(0, PERMUTATIONS - self._rows + 1, self._rows):
            band = f"{start} {values[start : start + self._rows]}"
            digest = blake2b(band.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            yield int.from_bytes(digest, signed=True)
