"""Records into segments: one open temp file for each partition, closed by age and by size."""

from collections.abc import Callable
from dataclasses import dataclass

from messaging.record import Record
from output.durable import TempFile
from output.layout import Layout
from output.segments.naming import Segment, temp_name, to_line


@dataclass(slots=True)
class _Open:
    """A segment being written. `began` is when its first record came, in seconds of the intake's clock."""

    file: TempFile
    first: int
    last: int
    began: float


class Intake:
    """Hands each closed segment to `take`, after it has its name on disk."""

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
        """`following` has the next offset by partition: what is before it is on disk."""
        self.following = following
        self._layout = layout
        self._topic = topic
        self._take = take
        self._max_age_s = max_age_s
        self._max_bytes = max_bytes
        self._clock = clock
        self._open: dict[int, _Open] = {}

    def add(self, record: Record) -> None:
        """Raises what the disk can raise."""
        line = to_line(record.value)
        open_ = self._open.get(record.partition)
        if open_ is None:
            file = TempFile(self._layout.results / temp_name(self._topic, record.partition))
            open_ = _Open(file, record.offset, record.offset, self._clock())
            self._open[record.partition] = open_
        open_.file.write(line)
        open_.last = record.offset
        if open_.file.size >= self._max_bytes:
            self._close(record.partition)

    def close_due(self) -> None:
        now = self._clock()
        for partition, open_ in list(self._open.items()):
            if now - open_.began >= self._max_age_s:
                self._close(partition)

    def close_all(self) -> None:
        for partition in list(self._open):
            self._close(partition)

    def discard_all(self) -> None:
        """What is not on disk yet is read again."""
        for open_ in self._open.values():
            open_.file.discard()
        self._open.clear()

    def due_in_s(self) -> float | None:
        """Seconds until a segment is to be closed; None when none is open."""
        if not self._open:
            return None
        return max(0.0, min(o.began for o in self._open.values()) + self._max_age_s - self._clock())

    def _close(self, partition: int) -> None:
        open_ = self._open[partition]
        segment = Segment(self._topic, partition, open_.first, open_.last)
        with open_.file as file:
            file.publish(self._layout.results / segment.name)
        del self._open[partition]
        self.following[partition] = segment.last + 1
        self._take(segment)
