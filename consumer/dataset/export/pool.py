"""Holds the pairs of an export while it is made, in a temporary SQLite file: they may not fit into memory."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from consumer.dataset.export.clusters import Clusters
from consumer.dataset.export.similarity import fold, plain

SCHEMA = Path(__file__).with_name("pool.sql")
Item = dict[str, Any]
_OF_SIDE = "FROM pairs JOIN texts ON texts.number = pairs.text WHERE :side IN ('', side)"
_AVAILABLE = f"SELECT type, count(*) {_OF_SIDE} GROUP BY type"
_LEAVE_OUT = f"UPDATE pairs SET chosen = 0 WHERE number IN (SELECT pairs.number {_OF_SIDE})"  # noqa: S608 - no outside text
_CHOOSE = (
    f"UPDATE pairs SET chosen = 1 WHERE number IN (SELECT pairs.number {_OF_SIDE} AND type = :kind "  # noqa: S608
    "ORDER BY rank, pairs.number LIMIT :count)"
)


class Pool:
    """Numbers pairs in the order in which they are added, and texts in the order in which they are first seen."""

    def __init__(self, path: Path, *, seed: int) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(SCHEMA.read_text())
        self.db.execute("BEGIN")  # one transaction for everything: nobody needs the file after a crash
        self._seed = seed

    def close(self) -> None:
        self.db.close()

    def stands_for(self, content_key: str, chunk: str) -> bool:
        """Tells whether this chunk is the first one of its content."""
        values = {"content_key": content_key, "chunk": chunk}
        self.db.execute("INSERT OR IGNORE INTO chunks (content_key, chunk) VALUES (:content_key, :chunk)", values)
        first = self.db.execute("SELECT chunk FROM chunks WHERE content_key = :content_key", values).fetchone()
        return bool(first == (chunk,))

    def text(self, text: str) -> tuple[int, bool]:
        """Returns the number of a text, and whether the text is new. Texts that fold alike have one number."""
        key = {"key": _hash(fold(text))}
        cursor = self.db.execute("INSERT OR IGNORE INTO texts (key) VALUES (:key)", key)
        number = self.db.execute("SELECT number FROM texts WHERE key = :key", key).fetchone()[0]
        return number, cursor.rowcount == 1

    def add(self, item: Item, *, text: int, content_key: str) -> None:
        """Adds a pair of the text with this number."""
        self.db.execute(
            "INSERT INTO pairs (text, type, question, content_key, item, rank) "
            "VALUES (:text, :type, :question, :content_key, :item, :rank)",
            _stored(item, content_key) | {"text": text, "type": item["type"], "rank": self._rank(item["id"])},
        )

    def add_rejected(self, item: Item, *, content_key: str) -> None:
        """Adds a rejected pair that may stand against a kept one."""
        self.db.execute(
            "INSERT INTO rejected (content_key, question, item) VALUES (:content_key, :question, :item)",
            _stored(item, content_key),
        )

    def available(self, side: str = "") -> dict[str, int]:
        """Returns the number of pairs by type, of all or of one side."""
        return dict(self.db.execute(_AVAILABLE, {"side": side}))

    def choose(self, quotas: Mapping[str, int], side: str = "") -> None:
        """Chooses this many pairs of each type by chance, and leaves the others out."""
        self.db.execute(_LEAVE_OUT, {"side": side})
        for kind, count in quotas.items():
            self.db.execute(_CHOOSE, {"side": side, "kind": kind, "count": count})

    def split(self, clusters: Clusters, *, validation: float) -> None:
        """Moves whole clusters to validation by chance, up to this share of the chosen pairs."""
        self.db.create_function("cluster_of", 1, clusters.of, deterministic=True)
        self.db.create_function("rank_of", 1, lambda key: self._rank(key.hex()), deterministic=True)
        self.db.execute("UPDATE texts SET cluster = cluster_of(number)")
        self.db.execute("CREATE INDEX texts_by_cluster ON texts (cluster)")
        room = validation * self.db.execute("SELECT total(chosen) FROM pairs").fetchone()[0]
        self.db.execute("CREATE TABLE sides (cluster INTEGER PRIMARY KEY)")
        for cluster, size in self._clusters():
            if size <= room:
                room -= size
                self.db.execute("INSERT INTO sides (cluster) VALUES (:cluster)", {"cluster": cluster})
        self.db.execute("UPDATE texts SET side = 'validation' WHERE cluster IN (SELECT cluster FROM sides)")

    def counts(self, field: str) -> dict[str, int]:
        """Returns the number of chosen pairs by the value of one of their fields."""
        query = "SELECT json_extract(item, '$.' || :field), count(*) FROM pairs WHERE chosen GROUP BY 1 ORDER BY 1"
        return dict(self.db.execute(query, {"field": field}))

    def items(self, side: str) -> Iterator[Item]:
        """Yields the chosen pairs of one side, in the order in which they were added."""
        for (item,) in self.db.execute(
            "SELECT item FROM pairs JOIN texts ON texts.number = pairs.text WHERE chosen AND side = :side "
            "ORDER BY pairs.number",
            {"side": side},
        ):
            yield orjson.loads(item)

    def preferences(self, side: str) -> Iterator[tuple[Item, Item]]:
        """Yields kept and rejected pairs of one text with the same question and different answers."""
        query = (
            "SELECT p.item, r.item FROM pairs p JOIN texts t ON t.number = p.text "
            "JOIN rejected r ON r.content_key = p.content_key AND r.question = p.question "
            "WHERE chosen AND side = :side ORDER BY p.number, r.number"
        )
        yield from _different(self.db.execute(query, {"side": side}))

    def _clusters(self) -> Iterator[tuple[int, int]]:
        """Yields clusters with their numbers of chosen pairs, in random order."""
        yield from self.db.execute(
            "SELECT c.cluster, c.size FROM (SELECT cluster, count(*) AS size FROM pairs "
            "JOIN texts ON texts.number = pairs.text WHERE chosen GROUP BY cluster) c "
            "JOIN texts t ON t.number = c.cluster ORDER BY rank_of(t.key), c.cluster"
        )

    def _rank(self, name: str) -> int:
        return int.from_bytes(_hash(f"{self._seed} {name}")[:8], signed=True)


def _different(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[Item, Item]]:
    """Leaves out rejected answers that are empty, that equal the kept answer, or that came before."""
    last, answers = "", set[str]()
    for kept_json, rejected_json in rows:
        kept, rejected = orjson.loads(kept_json), orjson.loads(rejected_json)
        if kept_json != last:
            last, answers = kept_json, {"", plain(kept["answer"])}
        answer = plain(rejected["answer"])
        if kept["status"] == "kept" and answer not in answers:
            answers.add(answer)
            yield kept, rejected


def _stored(item: Item, content_key: str) -> dict[str, object]:
    question = _hash(plain(item["question"]))
    return {"content_key": content_key, "question": question, "item": orjson.dumps(item).decode()}


def _hash(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
