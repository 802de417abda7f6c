"""Keeps the segment files that have been taken in."""

from collections.abc import Iterable
from dataclasses import asdict

from output.errors import IndexDamagedError
from output.index.database import Database
from output.segments.naming import Segment

FIND = (
    "SELECT id, size, records, undecodable FROM segments "
    "WHERE topic = :topic AND partition = :partition AND first = :first AND last = :last"
)


class SegmentTable:
    """Has the size in bytes and the numbers of records of each segment file."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def sizes(self) -> dict[Segment, int]:
        """Returns all segments in the index, with their sizes in bytes."""
        rows = self._db.rows("SELECT topic, partition, first, last, size FROM segments")
        return {Segment(*row[:4]): row[4] for row in rows}

    def insert(self, segment: Segment, size: int) -> int:
        """Inserts a segment inside a transaction and returns the id of its row; `count` completes the row."""
        return self._db.insert("segments", asdict(segment) | {"size": size})

    def count(self, number: int, *, records: int, undecodable: int) -> None:
        """Notes inside a transaction how many records the segment has."""
        self._db.execute(
            "UPDATE segments SET records = :records, undecodable = :undecodable WHERE id = :number",
            {"records": records, "undecodable": undecodable, "number": number},
        )
        self._add_totals(records, undecodable)

    def merge(self, merged: Segment, size: int, parts: list[Segment]) -> None:
        """Replaces `parts` by `merged`, which has their bytes one after the other, and moves their outcomes to it."""
        with self._db.transaction():
            number, base, records, undecodable = self.insert(merged, size), 0, 0, 0
            for part in parts:
                old, old_size, old_records, old_undecodable = self._delete(part)
                self._db.execute(
                    "UPDATE outcomes SET segment = :number, start = start + :base WHERE segment = :old",
                    {"number": number, "base": base, "old": old},
                )
                base, records, undecodable = base + old_size, records + old_records, undecodable + old_undecodable
            self.count(number, records=records, undecodable=undecodable)

    def forget(self, segments: Iterable[Segment]) -> None:
        """Drops segments whose outcomes have moved to segments that cover them."""
        with self._db.transaction():
            for segment in segments:
                self._delete(segment)

    def _delete(self, segment: Segment) -> tuple[int, int, int, int]:
        """Deletes a row and returns its id, size, records and undecodable records."""
        rows = self._db.rows(FIND, **asdict(segment))
        if not rows:
            raise IndexDamagedError(f"it does not know results/{segment.name}")
        number, size, records, undecodable = rows[0]
        self._db.execute("DELETE FROM segments WHERE id = :number", {"number": number})
        self._add_totals(-records, -undecodable)
        return number, size, records, undecodable

    def _add_totals(self, records: int, undecodable: int) -> None:
        for name, more in (("records", records), ("undecodable", undecodable)):
            self._db.execute("UPDATE totals SET value = value + :more WHERE name = :name", {"name": name, "more": more})
