"""Makes and reads the file names of segments, and selects the segments that count.

A segment holds the records of one partition from a first to a last offset, one record a line, as they are on the topic.
Its name carries the offsets: `<topic>-<partition>-<first>-<last>.jsonl`. The offsets inside a segment have gaps
(transaction markers and aborted records take offsets), but the segment has every committed record of its range.
A merge writes the covering segment before it removes the parts, so ranges may be nested for a while: then the widest
one counts. No sink writes ranges that overlap without one covering the other.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from output.errors import SegmentsError

NAME = re.compile(
    r"(?P<topic>[A-Za-z0-9._-]+)-(?P<partition>0|[1-9]\d*)-(?P<first>0|[1-9]\d*)-(?P<last>0|[1-9]\d*)\.jsonl"
)
TEMP_NAME = re.compile(r"\.[A-Za-z0-9._-]+-(?P<partition>0|[1-9]\d*)(\.merged)?\.tmp")


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A segment is named by the offsets of its first and last record."""

    topic: str
    partition: int
    first: int
    last: int

    @property
    def name(self) -> str:
        return f"{self.topic}-{self.partition}-{self.first}-{self.last}.jsonl"

    def covers(self, other: "Segment") -> bool:
        same = (self.topic, self.partition) == (other.topic, other.partition)
        return same and self.first <= other.first and other.last <= self.last


def parse_name(name: str) -> Segment | None:
    """Returns the segment that has this file name; None for any other file."""
    match = NAME.fullmatch(name)
    if match is None or int(match["first"]) > int(match["last"]):
        return None
    return Segment(match["topic"], int(match["partition"]), int(match["first"]), int(match["last"]))


def temp_name(topic: str, partition: int, *, merged: bool = False) -> str:
    """Returns the name of a file that becomes a segment: one for new records, one for a merge."""
    return f".{topic}-{partition}{'.merged' if merged else ''}.tmp"


def partition_of_temp(name: str) -> int | None:
    """Returns the partition in a name that `temp_name` made; None for any other file."""
    match = TEMP_NAME.fullmatch(name)
    return int(match["partition"]) if match else None


def covering(segments: Iterable[Segment]) -> list[Segment]:
    """Returns the segments that no other one covers, in order. Raises SegmentsError where two overlap in part."""
    kept: list[Segment] = []
    for segment in sorted(segments, key=lambda s: (s.topic, s.partition, s.first, -s.last)):
        previous = kept[-1] if kept else None
        if previous is None or not _meet(previous, segment):
            kept.append(segment)
        elif not previous.covers(segment):
            raise SegmentsError(
                f"results/{previous.name} and results/{segment.name} overlap without one covering the other: no sink "
                "wrote both. Move away the one that does not belong there"
            )
    return kept


def _meet(earlier: Segment, later: Segment) -> bool:
    same = (earlier.topic, earlier.partition) == (later.topic, later.partition)
    return same and later.first <= earlier.last


def next_offsets(segments: Iterable[Segment]) -> dict[int, int]:
    """Returns the offsets at which reading goes on, by partition, for segments of one topic."""
    following: dict[int, int] = {}
    for segment in segments:
        following[segment.partition] = max(segment.last + 1, following.get(segment.partition, 0))
    return following


def list_segments(folder: Path, topic: str | None = None) -> list[Segment]:
    """Returns all segments in `folder`, covered ones included; of one topic, or of all topics."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except FileNotFoundError:
        return []
    found = (parse_name(name) for name in names)
    return [segment for segment in found if segment and topic in (None, segment.topic)]
