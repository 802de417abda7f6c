"""Reads the records of segments, in the order of their offsets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from output.errors import SegmentsError
from output.segments.lines import from_line
from output.segments.naming import Segment, covering, list_segments

TAIL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record on disk has `length` bytes from byte `start` of its segment on, without the line end."""

    segment: Segment
    start: int
    length: int
    value: bytes | None


def read_segment(folder: Path, segment: Segment) -> Iterator[StoredRecord]:
    """Yields the records of a segment. Raises SegmentsError where it ends within a line, and FileNotFoundError."""
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
    """Returns the value of the segment's last record. Only the end of the file is read."""
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
    """Yields every record on disk once, ordered by offset in each partition, also while a sink writes and merges."""
    folder = output_dir / "results"
    partitions = sorted({(s.topic, s.partition) for s in list_segments(folder, topic)})
    for name, partition in partitions:
        yield from _partition_records(folder, name, partition)


def _partition_records(folder: Path, topic: str, partition: int) -> Iterator[StoredRecord]:
    """Yields all records of a partition. It remembers the ranges, because a merge may cover them meanwhile."""
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
    """Returns the first segment that reaches beyond the ranges in `done`."""
    read = max((segment.last for segment, _ in done), default=-1)
    segments = covering(s for s in list_segments(folder, topic) if s.partition == partition)
    return next((segment for segment in segments if segment.last > read), None)
