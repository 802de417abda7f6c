"""Segments: the records of one partition from a first to a last offset, one a line, as they are on the topic.

Names carry the offsets: `<topic>-<partition>-<first>-<last>.jsonl`. Offsets of one segment are not contiguous
(transaction markers and aborted records take some), but nothing committed lies between them that the segment has not.
Merging writes a segment that covers its parts before it removes them, so ranges may be nested for a while: the widest
one counts. Partly overlapping ranges are nobody's work.
"""

import base64
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import orjson

from output.errors import SegmentsError

NAME = re.compile(
    r"(?P<topic>[A-Za-z0-9._-]+)-(?P<partition>0|[1-9]\d*)-(?P<first>0|[1-9]\d*)-(?P<last>0|[1-9]\d*)\.jsonl"
)
TEMP_NAME = re.compile(r"\.[A-Za-z0-9._-]+-(?P<partition>0|[1-9]\d*)(\.merged)?\.tmp")
WRAPPED = "qastream.raw/1"
"""Schema of a line that stands for a value which can't be a line: none at all, or one with line ends in it."""
TAIL_BYTES = 64 * 1024
WRAPPED_PREFIX = b'{"schema":"qastream.raw/1",'


@dataclass(frozen=True, slots=True, order=True)
class Segment:
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


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record on disk; `start` and `length` are the bytes of its line, without the line end."""

    segment: Segment
    start: int
    length: int
    value: bytes | None


def parse_name(name: str) -> Segment | None:
    """The segment of that file name; None for any other file."""
    match = NAME.fullmatch(name)
    if match is None or int(match["first"]) > int(match["last"]):
        return None
    return Segment(match["topic"], int(match["partition"]), int(match["first"]), int(match["last"]))


def temp_name(topic: str, partition: int, *, merged: bool = False) -> str:
    """Of the file that becomes a segment; each partition has one that records come into and one for a merge."""
    return f".{topic}-{partition}{'.merged' if merged else ''}.tmp"


def partition_of_temp(name: str) -> int | None:
    """Inverse of `temp_name`; None for any other file."""
    match = TEMP_NAME.fullmatch(name)
    return int(match["partition"]) if match else None


def covering(segments: Iterable[Segment]) -> list[Segment]:
    """Those that no other one covers, ordered by topic, partition and offset. Raises SegmentsError."""
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
    """Where reading goes on, by partition; for segments of one topic."""
    following: dict[int, int] = {}
    for segment in segments:
        following[segment.partition] = max(segment.last + 1, following.get(segment.partition, 0))
    return following


def list_segments(folder: Path, topic: str | None = None) -> list[Segment]:
    """All there are, covered ones included; of one topic, or of all."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except FileNotFoundError:
        return []
    found = (parse_name(name) for name in names)
    return [segment for segment in found if segment and topic in (None, segment.topic)]


def to_line(value: bytes | None) -> bytes:
    """The line for a record's value, line end included: its very bytes, unless they can't be told from a line."""
    if value is not None and b"\n" not in value and not value.startswith(WRAPPED_PREFIX):
        return value + b"\n"
    content = None if value is None else base64.b64encode(value).decode()
    return orjson.dumps({"schema": WRAPPED, "base64": content}) + b"\n"


def from_line(line: bytes) -> bytes | None:
    """Inverse of `to_line`, with or without the line end."""
    line = line.removesuffix(b"\n")
    if not line.startswith(WRAPPED_PREFIX):
        return line
    content = orjson.loads(line)["base64"]
    return None if content is None else base64.b64decode(content)


def read_segment(folder: Path, segment: Segment) -> Iterator[StoredRecord]:
    """Raises SegmentsError for one that ends within a line, and FileNotFoundError."""
    with (folder / segment.name).open("rb") as file:
        yield from _lines(file, segment)


def _lines(file: Iterable[bytes], segment: Segment) -> Iterator[StoredRecord]:
    start = 0
    for line in file:
        if not line.endswith(b"\n"):
            raise SegmentsError(f"results/{segment.name} ends within a line: it was changed after it was written")
        yield StoredRecord(segment, start, len(line) - 1, from_line(line))
        start += len(line)


def last_value(folder: Path, segment: Segment) -> bytes | None:
    """Value of the segment's last record, read from its end."""
    path, block = folder / segment.name, TAIL_BYTES
    size = path.stat().st_size
    with path.open("rb") as file:
        while True:
            file.seek(max(0, size - block))
            before, _, line = file.read().removesuffix(b"\n").rpartition(b"\n")
            if before or block >= size:
                return from_line(line)
            block *= 8


def iter_records(output_dir: Path, *, topic: str | None = None) -> Iterator[StoredRecord]:
    """Every record on disk once, by partition in the order of its offsets, also while a sink writes and merges.

    Raises SegmentsError.
    """
    folder = output_dir / "results"
    partitions = sorted({(s.topic, s.partition) for s in list_segments(folder, topic)})
    for name, partition in partitions:
        yield from _partition_records(folder, name, partition)


def _partition_records(folder: Path, topic: str, partition: int) -> Iterator[StoredRecord]:
    """What was read is remembered by range: a merge may replace what comes next by what covers both."""
    done: list[tuple[Segment, int]] = []
    while (segment := _following(folder, topic, partition, done)) is not None:
        try:
            file = (folder / segment.name).open("rb")
        except FileNotFoundError:  # merged since it was listed
            continue
        skip, count = sum(records for part, records in done if segment.covers(part)), 0
        with file:
            for count, record in enumerate(_lines(file, segment), start=1):
                if count > skip:
                    yield record
        done = [(part, records) for part, records in done if not segment.covers(part)] + [(segment, count)]


def _following(folder: Path, topic: str, partition: int, done: list[tuple[Segment, int]]) -> Segment | None:
    """The first segment that reaches beyond what is done."""
    read = max((segment.last for segment, _ in done), default=-1)
    segments = covering(s for s in list_segments(folder, topic) if s.partition == partition)
    return next((segment for segment in segments if segment.last > read), None)


def adjacent_runs(segments: Iterable[Segment]) -> list[list[Segment]]:
    """Segments by partition, each list in the order of offsets."""
    runs: dict[tuple[str, int], list[Segment]] = defaultdict(list)
    for segment in sorted(segments):
        runs[segment.topic, segment.partition].append(segment)
    return list(runs.values())


FAN = 8
"""Segments of about one size that are merged into one: each byte is rewritten once per power of it."""


def plan_merge(sizes: list[int], *, limit_bytes: int) -> range | None:
    """Which neighbours of one partition to merge, given their sizes in order; None when nothing is worth it.

    Like a binary counter: `FAN` segments of one size class are merged, with the smaller ones between them. What is
    above half of `limit_bytes` stays as it is.
    """
    classes = [_size_class(size) if size * 2 <= limit_bytes else None for size in sizes]
    for wanted in sorted({c for c in classes if c is not None}):
        for start in range(len(classes)):
            run = _run_up_to(classes[start:], wanted)
            if classes[start] == wanted and run.count(wanted) >= FAN:
                return _within_limit(range(start, start + len(run)), sizes, limit_bytes)
    return None


def _run_up_to(classes: list[int | None], highest: int) -> list[int | None]:
    return list(takewhile(lambda c: c is not None and c <= highest, classes))


def _size_class(size: int) -> int:
    return (size.bit_length() + 2) // 3  # powers of 8, as FAN is


def _within_limit(run: range, sizes: list[int], limit_bytes: int) -> range:
    stop, total = run.start, 0
    while stop < run.stop and total + sizes[stop] <= limit_bytes:
        total += sizes[stop]
        stop += 1
    return range(run.start, stop)
