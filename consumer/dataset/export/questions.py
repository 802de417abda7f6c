"""The questions of a data set, each asked once: found by their words, in SQLite."""

import sqlite3
from hashlib import blake2b

from consumer.dataset.export.similarity import fold
from consumer.worker.checks.duplicates import asked, same


class Questions:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute("CREATE TABLE questions (key INTEGER, question TEXT)")
        db.execute("CREATE INDEX questions_by_key ON questions (key)")

    def has(self, question: str, *, kind: str) -> bool:
        """Whether one of that kind that asks the same was added before."""
        new = asked(question)
        rows = self._db.execute("SELECT question FROM questions WHERE key = ?", (_key(question, kind),))
        return any(fold(old) == fold(question) or same(asked(old), new) for (old,) in rows)

    def add(self, question: str, *, kind: str) -> None:
        self._db.execute("INSERT INTO questions VALUES (?, ?)", (_key(question, kind), question))


def _key(question: str, kind: str) -> int:
    """Of its words in alphabetical order; of the question as it is where it has none but question words."""
    words = sorted(asked(question).words.elements()) or [fold(question)]
    digest = blake2b("\n".join([kind, *words]).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
