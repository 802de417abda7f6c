"""Which records of a partition are done, when they finish in any order.

What is committed says so too: messaging/committed.py.
"""

from collections.abc import Collection, Iterable

from messaging.committed import METADATA_LIMIT, CommitPoint

INTAKE_LIMIT = METADATA_LIMIT * 3 // 4
RECORD_LENGTH = 6
"""Characters that an unfinished offset takes at most: a distance of five digits and its comma."""
HEAD_LENGTH = 32
"""At most, of what stands before the distances."""
MOST_RECORDS = (METADATA_LIMIT - INTAKE_LIMIT - HEAD_LENGTH) // RECORD_LENGTH
"""Records that may be delivered at once while the metadata is within INTAKE_LIMIT."""


class OffsetTracker:
    """Unfinished offsets of one partition during one tenure. Starts where a committed point left off."""

    def __init__(self, point: CommitPoint) -> None:
        """Raises MetadataError."""
        left, self._next = point.decode()
        self._unfinished = dict.fromkeys(left)  # keeps its order, which is ascending: offsets only arrive upwards
        self._delivered: set[int] = set()
        self._length = len(point.metadata)
        self._position = point.offset

    def deliver(self, offset: int) -> bool:
        """Take note of a record that was read; False when it is done, or being done, and must not be run again."""
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
        """Where to commit if `finished` were done as well."""
        return CommitPoint.of((offset for offset in self._unfinished if offset not in finished), self._next)

    def commit(self, finished: Iterable[int]) -> None:
        """The transaction with `finished` has been committed."""
        for offset in finished:
            self._unfinished.pop(offset, None)
            self._delivered.discard(offset)
        self._length = len(self.point().metadata)

    @property
    def open(self) -> int:
        """Records delivered and not yet committed as finished."""
        return len(self._delivered)

    @property
    def position(self) -> int:
        """Where reading goes on: all before it was delivered, or was done before this tenure."""
        return self._position

    @property
    def room(self) -> int:
        """Records that may be read at once; 0 while more could outgrow the metadata that the broker takes.

        What a former owner left unfinished is in the metadata already: it may always be read again.
        """
        if self._length <= INTAKE_LIMIT:
            return MOST_RECORDS
        return len(self._unfinished) - len(self._delivered) if self._position < self._next else 0
