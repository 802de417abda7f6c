"""Finds questions that ask the same as an earlier question, by their words, in SQLite."""

import sqlite3
from hashlib import blake2b

from consumer.dataset.export.similarity import fold
from consumer.worker.checks.duplicates import asked, same


class AskedQuestions:
    """Keeps the questions that are in the data set already, by kind: kept or rejected."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute("CREATE TABLE questions (key INTEGER, question TEXT)")
        db.execute("CREATE INDEX questions_by_key ON questions (key)")

    def has(self, question: str, *, kind: str) -> bool:
        """Tells whether a question of this kind that asks the same was added before."""
        new = asked(question)
        rows = self._db.execute("SELECT question FROM questions WHERE key = :key", {"key": _key(question, kind)})
        return any(fold(old) == fold(question) or same(asked(old), new) for (old,) in rows)

    def add(self, question: str, *, kind: str) -> None:
        self._db.execute(
            "INSERT INTO questions (key, question) VALUES (:key, :question)",
            {"key": _key(question, kind), "question": question},
        )


def _key(question: str, kind: str) -> int:
    """Returns a key that questions of the same words share, in any order of the words."""
    words = sorted(asked(question).words.elements()) or [fold(question)]  # only question words: the question itself
    digest = blake2b("\n".join([kind, *words]).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
