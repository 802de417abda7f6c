"""The index's account of segment files."""

from collections.abc import Iterable

from output.errors import IndexDamagedError
from output.index.database import Database
from output.segments.naming import Segment

KEY = "topic = :topic AND partition = :partition AND first = :first AND last = :last"


class SegmentTable:
    """Each segment file that has been taken in, with its size in bytes and its numbers of records."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def sizes(self) -> dict[Segment, int]:
        """All segments in the index, with their sizes in bytes."""
        rows = self._db.rows("SELECT topic, partition, first, last, size FROM segments")
        return {Segment(*row[:4]): row[4] for row in rows}

    def insert(self, segment: Segment, size: int) -> int:
        """The id of the new row. Called inside a transaction; `count` completes the row."""
        number = self._db.execute(
            "INSERT INTO segments (topic, partition, first, last, size, records, undecodable) "
            "VALUES (:topic, :partition, :first, :last, :size, 0, 0)",
            {**_key(segment), "size": size},
        )
        assert number is not None
        return number

    def count(self, number: int, *, records: int, undecodable: int) -> None:
        """Note how many records the segment has. Called inside a transaction."""
        self._db.execute(
            "UPDATE segments SET records = :records, undecodable = :undecodable WHERE id = :number",
            {"records": records, "undecodable": undecodable, "number": number},
        )
        self._add_totals(records, undecodable)

    def merge(self, merged: Segment, size: int, parts: list[Segment]) -> None:
        """Replace `parts` by `merged`, which is their bytes one after the other; their outcomes are found in it."""
        with self._db.transaction():
            number, base, records, undecodable = self.insert(merged, size), 0, 0, 0
            for part in parts:
                old = self._row(part)
                self._db.execute(
                    "UPDATE outcomes SET segment = :number, start = start + :base WHERE segment = :old",
                    {"number": number, "base": base, "old": old["id"]},
                )
                base, records = base + old["size"], records + old["records"]
                undecodable += old["undecodable"]
                self._delete(old)
            self.count(number, records=records, undecodable=undecodable)

    def forget(self, segments: Iterable[Segment]) -> None:
        """Drop segments whose outcomes have moved to segments that cover them."""
        with self._db.transaction():
            for segment in segments:
                self._delete(self._row(segment))

    def _row(self, segment: Segment) -> dict[str, int]:
        rows = self._db.rows(f"SELECT id, size, records, undecodable FROM segments WHERE {KEY}", **_key(segment))  # noqa: S608 - no outside text
        if not rows:
            raise IndexDamagedError(f"it does not know results/{segment.name}")
        return dict(zip(("id", "size", "records", "undecodable"), rows[0], strict=True))

    def _delete(self, row: dict[str, int]) -> None:
        self._db.execute("DELETE FROM segments WHERE id = :id", {"id": row["id"]})
        self._add_totals(-row["records"], -row["undecodable"])

    def _add_totals(self, records: int, undecodable: int) -> None:
        self._db.execute_many(
            "UPDATE totals SET value = value + :more WHERE name = :name",
            [{"name": "records", "more": records}, {"name": "undecodable", "more": undecodable}],
        )


def _key(segment: Segment) -> dict[str, object]:
    return {
        "topic": segment.topic,
        "partition": segment.partition,
        "first": segment.first,
        "last": segment.last,
    }
