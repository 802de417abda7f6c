"""Writes records into segments: one open temporary file for each partition, closed by age and by size."""

from collections.abc import Callable
from dataclasses import dataclass

from messaging.record import Record
from output.durable import TempFile
from output.layout import Layout
from output.segments.lines import to_line
from output.segments.naming import Segment, temp_name


@dataclass(slots=True)
class _OpenSegment:
    """A segment is being written since `began_s`, in seconds of the writer's clock."""

    file: TempFile
    first: int
    last: int
    began_s: float


class SegmentWriter:
    """Passes each closed segment to `take` when the file has its name on disk."""

    def __init__(
        self,
        layout: Layout,
        topic: str,
        *,
        following: dict[int, int],
        take: Callable[[Segment], None],
        max_age_s: float,
        max_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        """`following` has the next offset by partition: records before it are on disk."""
        self.following = following
        self._layout = layout
        self._topic = topic
        self._take = take
        self._max_age_s = max_age_s
        self._max_bytes = max_bytes
        self._clock = clock
        self._open: dict[int, _OpenSegment] = {}

    def add(self, record: Record) -> None:
        """Writes a record into its partition's segment. Raises OSError."""
        line = to_line(record.value)
        segment = self._open.get(record.partition)
        if segment is None:
            file = TempFile(self._layout.results / temp_name(self._topic, record.partition))
            segment = _OpenSegment(file, record.offset, record.offset, self._clock())
            self._open[record.partition] = segment
        segment.file.write(line)
        segment.last = record.offset
        if segment.file.size >= self._max_bytes:
            self._close(record.partition)

    def close_due(self) -> None:
        """Closes the segments that have reached their age."""
        now_s = self._clock()
        for partition, segment in list(self._open.items()):
            if now_s - segment.began_s >= self._max_age_s:
                self._close(partition)

    def close_all(self) -> None:
        for partition in list(self._open):
            self._close(partition)

    def discard_all(self) -> None:
        """Drops all open segments. Their records are read from Kafka again."""
        for segment in self._open.values():
            segment.file.discard()
        self._open.clear()

    def due_in_s(self) -> float | None:
        """Returns the seconds until a segment is to be closed; None when none is open."""
        if not self._open:
            return None
        oldest_s = min(segment.began_s for segment in self._open.values())
        return max(0.0, oldest_s + self._max_age_s - self._clock())

    def _close(self, partition: int) -> None:
        written = self._open[partition]
        segment = Segment(self._topic, partition, written.first, written.last)
        with written.file as file:
            file.publish(self._layout.results / segment.name)
        del self._open[partition]
        self.following[partition] = segment.last + 1
        self._take(segment)
