"""Tracks which records of a partition are done when they finish in any order. messaging/committed.py encodes it."""

from collections.abc import Collection, Iterable

from messaging.committed import METADATA_LIMIT, CommitPoint

INTAKE_LIMIT = METADATA_LIMIT * 3 // 4
RECORD_LENGTH = 6
"""Characters that an unfinished offset takes at most in the metadata: a distance of five digits and its comma."""
HEAD_LENGTH = 32
"""Characters that stand before the distances at most."""
MOST_RECORDS = (METADATA_LIMIT - INTAKE_LIMIT - HEAD_LENGTH) // RECORD_LENGTH
"""Records that may be delivered at once while the metadata is within INTAKE_LIMIT."""


class OffsetTracker:
    """The unfinished offsets of one partition during one tenure. It starts from the committed point."""

    def __init__(self, point: CommitPoint) -> None:
        """Raises MetadataError."""
        unfinished, self._next = point.decode()
        self._unfinished = dict.fromkeys(unfinished)  # ascending, since offsets only arrive upwards
        self._delivered: set[int] = set()
        self._length = len(point.metadata)
        self._position = point.offset

    def deliver(self, offset: int) -> bool:
        """Takes note of a record that was read. Returns False if the record is done or in hand."""
        self._position = max(self._position, offset + 1)
        if offset >= self._next:
            self._unfinished[offset] = None
            self._next = offset + 1
            self._length += RECORD_LENGTH  # the exact length is taken at each commit
        elif offset not in self._unfinished or offset in self._delivered:
            return False
        self._delivered.add(offset)
        return True

    def point(self, finished: Collection[int] = ()) -> CommitPoint:
        """Returns the point to commit if `finished` are done too."""
        return CommitPoint.of((offset for offset in self._unfinished if offset not in finished), self._next)

    def commit(self, finished: Iterable[int]) -> None:
        """Takes note that the transaction with `finished` was committed."""
        for offset in finished:
            self._unfinished.pop(offset, None)
            self._delivered.discard(offset)
        self._length = len(self.point().metadata)

    @property
    def position(self) -> int:
        """Offset to read from: all records before it were delivered, or were done before this tenure."""
        return self._position

    @property
    def room(self) -> int:
        """Number of records that may be read now. It is 0 while the offsets of more records might not fit.

        Offsets that a former owner left unfinished are in the metadata already, so they may always be read again.
        """
        if self._length <= INTAKE_LIMIT:
            return MOST_RECORDS
        return len(self._unfinished) - len(self._delivered) if self._position < self._next else 0
