"""Finds texts with nearly the same characters as earlier ones, by MinHash bands in SQLite and an exact comparison.

Similarity is the Jaccard index of the n-grams of letters and digits: 2-grams for Chinese texts, else 3-grams.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b

from rensa import RMinHash

PERMUTATIONS = 64
RECALL = 0.99
SEED = 1
COMPARED = 200
"""Largest number of candidates that are compared exactly; those with the most bands in common come first."""
SEPARATORS = re.compile(r"[\W_]+")
CHINESE = re.compile("[\u3400-\u9fff]")


class SimilarTexts:
    """Keeps a set of texts in a database."""

    def __init__(self, db: sqlite3.Connection, *, threshold: float) -> None:
        """Texts count as similar from `threshold` on, which is above 0 and at most 1."""
        self._db = db
        self._threshold = threshold
        self._rows = band_rows(threshold)
        db.execute("CREATE TABLE folded_texts (number INTEGER PRIMARY KEY, folded TEXT)")
        db.execute("CREATE TABLE bands (key INTEGER, number INTEGER, PRIMARY KEY (key, number)) WITHOUT ROWID")

    def similar_to(self, text: str) -> dict[int, float]:
        """Returns the similarities, from 0 to 1, of the earlier texts that reach the threshold, by their numbers."""
        own = shingles(fold(text))
        candidates = self._candidates(list(self._band_keys(own)))
        compared = ((number, jaccard(own, shingles(other))) for number, other in candidates)
        return {number: similarity for number, similarity in compared if similarity >= self._threshold}

    def add(self, number: int, text: str) -> None:
        """Adds a text under its number."""
        folded = fold(text)
        self._db.execute(
            "INSERT INTO folded_texts (number, folded) VALUES (:number, :folded)", {"number": number, "folded": folded}
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO bands (key, number) VALUES (:key, :number)",
            ({"key": key, "number": number} for key in self._band_keys(shingles(folded))),
        )

    def _candidates(self, keys: list[int]) -> list[tuple[int, str]]:
        marks = ", ".join("?" * len(keys))
        query = (
            f"SELECT number, folded FROM (SELECT number, count(*) AS common FROM bands WHERE key IN ({marks}) "  # noqa: S608 - question marks only
            f"GROUP BY number ORDER BY common DESC, number LIMIT {COMPARED}) JOIN folded_texts USING (number)"
        )
        return self._db.execute(query, keys).fetchall()

    def _band_keys(self, own: frozenset[str]) -> Iterator[int]:
        """Yields a key for each band of the text's MinHash. Similar texts have a band in common, and so a key."""
        sketch = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
        sketch.update(list(own))
        values = sketch.digest()
        for start in range(0, PERMUTATIONS - self._rows + 1, self._rows):
            band = f"{start} {values[start : start + self._rows]}"
            digest = blake2b(band.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            yield int.from_bytes(digest, signed=True)


def plain(text: str) -> str:
    """Returns the text in one Unicode form (NFKC) and case, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def fold(text: str) -> str:
    """Returns the letters and digits of the text in one form and case, with a space between words."""
    return SEPARATORS.sub(" ", plain(text)).strip()


def shingles(folded: str) -> frozenset[str]:
    """Returns the n-grams of a folded text; the text itself where it is shorter than one n-gram."""
    size = 2 if CHINESE.search(folded) else 3
    return frozenset({folded[i : i + size] for i in range(max(1, len(folded) - size + 1))})


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Returns the Jaccard index of two sets, from 0 to 1."""
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def band_rows(threshold: float) -> int:
    """Returns the size of a band: the largest that finds `RECALL` of the texts as similar as `threshold`."""
    sizes = (rows for rows in range(PERMUTATIONS, 0, -1) if _found(threshold, rows) >= RECALL)
    return next(sizes, 1)


def _found(similarity: float, rows: int) -> float:
    """Returns the probability that texts share a band (Leskovec et al., Mining of Massive Datasets, 3.4)."""
    return 1 - (1 - similarity**rows) ** (PERMUTATIONS // rows)
