"""Computes the point to commit for a partition from its records and from those that have an outcome. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from configs.errors import QAStreamError
from messaging.committed import METADATA_LIMIT, CommitPoint, MetadataError

Identity = int
"""64 bits of the id of the result that a record has, or would have. They tell records apart."""


REMADE = "the topic of chunks was made anew since. Use a fresh --namespace, or delete all of this one's topics"


class RebuildError(QAStreamError):
    """Offsets can't be restored; none was changed unless the message says so."""


class State(StrEnum):
    RIGHT = "right as it is"
    UNUSED = "never worked on"
    MISSING = "no committed offset"
    OUTSIDE = "committed outside of the partition"
    UNREADABLE = "committed with unreadable metadata"
    WRONG = "committed wrongly"
    FOREIGN = "committed by another program"


@dataclass(frozen=True, slots=True)
class Partition:
    """An input partition: its first offset and its end, its committed point, and its outcomes by offset."""

    number: int
    first: int
    end: int
    committed: CommitPoint | None
    outcomes: Mapping[int, Identity]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`point` is to be committed; `done` and `left` count the partition's records.

    Workers that start from the point that is committed now would double `doubled` results and lose `lost` ones.
    """

    partition: Partition
    state: State
    point: CommitPoint
    done: int
    left: int
    doubled: int = 0
    lost: int = 0

    @property
    def needed(self) -> bool:
        return self.state not in (State.RIGHT, State.UNUSED)


class Rebuilding:
    """Takes the records of one partition in order, and remembers only what the point needs."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        self._outcomes = {offset: i for offset, i in partition.outcomes.items() if offset >= partition.first}
        self._following = max(self._outcomes, default=partition.first - 1) + 1
        self._state, self._claimed = _claim(partition)
        self._unfinished: list[int] = []
        self._done = self._left = self._doubled = self._lost = 0

    def take(self, offset: int, identity: Identity) -> None:
        """Take the next record of the partition. Raises RebuildError."""
        found = self._outcomes.get(offset)
        if found is None:
            self._left += 1
            self._lost += self._claimed(offset)
            if offset < self._following:
                self._unfinished.append(offset)
        elif found != identity:
            raise RebuildError(
                f"the result for partition {self._partition.number}, offset {offset} is that of another chunk: {REMADE}"
            )
        else:
            self._done += 1
            self._doubled += not self._claimed(offset)

    def rebuilt(self) -> Rebuilt:
        """Return the result after the last record. Raises RebuildError."""
        if self._done < len(self._outcomes):
            raise RebuildError(
                f"partition {self._partition.number} lacks {len(self._outcomes) - self._done} of the chunks that there "
                f"are results for: {REMADE}"
            )
        state = self._state
        if state is State.RIGHT and (self._doubled or self._lost):
            state = State.WRONG
        committed = self._partition.committed
        if state is State.RIGHT and self._partition.outcomes and committed is not None and not committed.metadata:
            state = State.FOREIGN  # no worker starts from it, right or not
        if state is State.MISSING and not self._outcomes:
            state = State.UNUSED
        point = self._point()
        return Rebuilt(self._partition, state, point, self._done, self._left, self._doubled, self._lost)

    def _point(self) -> CommitPoint:
        point = CommitPoint.of(self._unfinished, self._following)
        if len(point.metadata) > METADATA_LIMIT:
            raise RebuildError(
                f"partition {self._partition.number}: {len(self._unfinished)} chunks without a result lie among those "
                f"with one, and a committed point has room for {METADATA_LIMIT} characters to list them. No worker "
                "leaves that many: results are missing from the topic. Starting without the list would double what is "
                "done, so nothing was changed"
            )
        return point


def _nothing_done(_offset: int) -> bool:
    return False


def _claim(partition: Partition) -> tuple[State, Callable[[int], bool]]:
    """Judge the committed point, and return a test for offsets that it says are done: none if it can't be used."""
    point = partition.committed
    if point is None:
        return State.MISSING, _nothing_done
    if not partition.first <= point.offset <= partition.end:
        return State.OUTSIDE, _nothing_done
    try:
        unfinished, following = point.decode()
    except MetadataError:
        return State.UNREADABLE, _nothing_done
    left = frozenset(unfinished)
    return State.RIGHT, lambda offset: offset < following and offset not in left
