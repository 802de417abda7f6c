import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.rebuild.points import Partition, RebuildError, Rebuilding, Rebuilt, State
from consumer.worker.group.offsets import OffsetTracker
from messaging.committed import CommitPoint

offsets = st.lists(st.integers(0, 5_000), unique=True, max_size=60).map(sorted)


def rebuild(
    records: list[int], done: set[int], committed: CommitPoint | None = None, *, first: int = 0, end: int = 10_000
) -> Rebuilt:
    partition = Partition(0, first, end, committed, {offset: offset for offset in done})
    rebuilding = Rebuilding(partition)
    for offset in records:
        rebuilding.take(offset, offset)
    return rebuilding.rebuilt()


@given(st.data())
def test_a_worker_that_starts_at_the_rebuilt_point_runs_what_has_no_outcome_and_nothing_else(data: st.DataObject):
    log = data.draw(offsets)
    done = set(data.draw(st.lists(st.sampled_from(log), unique=True))) if log else set()
    rebuilt = rebuild(log, done)
    tracker = OffsetTracker(rebuilt.point)
    run = [offset for offset in log if offset >= rebuilt.point.offset and tracker.deliver(offset)]
    assert run == [offset for offset in log if offset not in done]
    assert (rebuilt.done, rebuilt.left) == (len(done), len(log) - len(done))


@given(st.data())
def test_what_a_worker_committed_is_right_as_it_is(data: st.DataObject):
    log = data.draw(offsets)
    tracker = OffsetTracker(CommitPoint.of([], 0))
    for offset in log:
        tracker.deliver(offset)
    done = set(data.draw(st.lists(st.sampled_from(log), unique=True))) if log else set()
    tracker.commit(done)
    assert rebuild(log, done, tracker.point()).state is State.RIGHT


@pytest.mark.parametrize(
    ("committed", "state"),
    [
        (None, State.MISSING),
        (CommitPoint(20_000, ""), State.OUTSIDE),
        (CommitPoint(1, "9;what"), State.UNREADABLE),
        (CommitPoint(2, ""), State.WRONG),
        (CommitPoint(0, ""), State.WRONG),
        (CommitPoint(1, ""), State.FOREIGN),
    ],
)
def test_points_that_no_worker_may_start_from_are_told_apart(committed: CommitPoint | None, state: State):
    assert rebuild([0, 1, 2], {0}, committed).state is state


def test_what_a_wrong_point_would_do_is_counted():
    rebuilt = rebuild([0, 1, 2, 3], {0, 3}, CommitPoint(2, ""))
    assert (rebuilt.doubled, rebuilt.lost) == (1, 1)


def test_a_partition_that_nobody_worked_on_is_left_alone():
    assert not rebuild([5, 6], set(), first=5).needed


def test_outcomes_of_records_that_were_deleted_since_do_not_count():
    rebuilt = rebuild([5, 6], {1, 2, 5}, first=5)
    assert rebuilt.point == CommitPoint.of([], 6)


def test_outcomes_of_other_records_are_refused():
    rebuilding = Rebuilding(Partition(0, 0, 10, None, {4: 77}))
    with pytest.raises(RebuildError, match="made anew"):
        rebuilding.take(4, 78)
    with pytest.raises(RebuildError, match="lacks 1"):
        rebuild([1], {1, 9})


def test_more_holes_than_metadata_can_list_are_refused():
    with pytest.raises(RebuildError, match="4096"):
        rebuild(list(range(6_000)), set(range(0, 6_000, 2)))
