import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.worker.group.offsets import INTAKE_LIMIT, MOST_RECORDS, OffsetTracker
from messaging.committed import METADATA_LIMIT, CommitPoint, MetadataError

ascending = st.lists(st.integers(0, 10_000), unique=True, max_size=60).map(sorted)


@given(ascending, st.integers(0, 500))
def test_metadata_round_trips(unfinished: list[int], ahead: int):
    following = (unfinished[-1] + 1 if unfinished else 0) + ahead
    assert CommitPoint.of(unfinished, following).decode() == (unfinished, following)


@pytest.mark.parametrize("metadata", ["2;1;", "nonsense", "1;zz;", "1;0;3", ";;", "1;1;1;1"])
def test_metadata_of_others_is_refused(metadata: str):
    with pytest.raises(MetadataError):
        OffsetTracker(CommitPoint(5, metadata))


def test_no_metadata_means_that_nothing_above_the_offset_is_done():
    tracker = OffsetTracker(CommitPoint(5, ""))
    assert tracker.deliver(5)
    assert tracker.deliver(6)


@given(st.data())
def test_every_record_is_finished_exactly_once_whatever_is_lost_in_between(data: st.DataObject):
    """Given records with gaps that finish in any order, when the process dies at any moment, its successor starts from
    the last committed point."""
    log = data.draw(ascending)
    committed = CommitPoint.of([], log[0] if log else 0)
    outcomes: dict[int, int] = dict.fromkeys(log, 0)
    while True:
        tracker = OffsetTracker(committed)
        to_read = [offset for offset in log if offset >= committed.offset]
        in_hand: set[int] = set()
        finished: set[int] = set()
        for _ in range(data.draw(st.integers(0, 30))):
            step = data.draw(st.sampled_from(["read", "finish", "commit"]))
            if step == "read" and to_read:
                offset = to_read.pop(0)
                if tracker.deliver(offset):
                    in_hand.add(offset)
            elif step == "finish" and in_hand:
                offset = data.draw(st.sampled_from(sorted(in_hand)))
                in_hand.discard(offset)
                finished.add(offset)
            elif step == "commit" and finished:
                committed = tracker.point(finished)
                tracker.commit(finished)
                for offset in finished:
                    outcomes[offset] += 1
                finished = set()
        if not data.draw(st.booleans()):
            break
    tracker = OffsetTracker(committed)
    rest = {offset for offset in log if offset >= committed.offset and tracker.deliver(offset)}
    for offset in rest:
        outcomes[offset] += 1
    assert set(outcomes.values()) <= {1}
    assert tracker.point(rest) == CommitPoint.of([], log[-1] + 1 if log else committed.offset) or not rest


def test_a_record_read_again_within_a_tenure_is_not_run_again():
    tracker = OffsetTracker(CommitPoint(0, ""))
    assert tracker.deliver(3)
    assert not tracker.deliver(3)
    tracker.commit({3})
    assert not tracker.deliver(3)


def test_intake_stops_before_the_metadata_outgrows_the_broker():
    tracker = OffsetTracker(CommitPoint(0, ""))
    offset = 0
    while tracker.room:
        assert tracker.deliver(offset)
        offset += 70_000  # far apart: a record among many finished ones
        tracker.commit({offset - 1})
    assert len(tracker.point().metadata) <= METADATA_LIMIT
    assert offset // 70_000 > 400


def test_what_a_former_owner_left_is_read_again_however_long_its_list_is():
    """Given a list that the broker just takes, its offsets are read in parts, between others that are done."""
    left = [70_000 * number for number in range(METADATA_LIMIT // 6)]
    point = CommitPoint.of(left, left[-1] + 1)
    assert INTAKE_LIMIT < len(point.metadata) <= METADATA_LIMIT
    tracker, log = OffsetTracker(point), [offset + more for offset in left for more in (0, 1)]
    finished = []
    while tracker.room:
        batch, log = log[: tracker.room], log[tracker.room :]
        delivered = [offset for offset in batch if tracker.deliver(offset)]
        finished += delivered
        assert len(tracker.point().metadata) <= METADATA_LIMIT
        tracker.commit(delivered)
        if not log:
            break
    assert finished[: len(left)] == left


def test_nothing_new_is_read_while_the_list_of_a_former_owner_is_too_long():
    left = [70_000 * number for number in range(METADATA_LIMIT // 6)]
    tracker = OffsetTracker(CommitPoint.of(left, left[-1] + 1))
    for offset in left:
        assert 0 < tracker.room <= len(left)
        assert tracker.deliver(offset)
    assert tracker.room == 0
    tracker.commit(left[: len(left) // 2])
    assert tracker.room > 0


@given(ascending, st.data())
def test_reading_goes_on_behind_the_last_record_that_was_delivered(unfinished: list[int], data: st.DataObject):
    following = unfinished[-1] + 1 if unfinished else 0
    point = CommitPoint.of(unfinished, following)
    tracker = OffsetTracker(point)
    assert tracker.position == point.offset
    for offset in range(point.offset, data.draw(st.integers(point.offset, following + 5))):
        tracker.deliver(offset)
        assert tracker.position == offset + 1


def test_one_slow_record_does_not_lengthen_the_metadata():
    tracker = OffsetTracker(CommitPoint(0, ""))
    tracker.deliver(0)
    for offset in range(1, 100_000):
        tracker.deliver(offset)
        tracker.commit({offset})
    assert tracker.point().offset == 0
    assert len(tracker.point().metadata) < 20


def test_metadata_fits_after_as_many_records_as_may_come_at_once():
    tracker = OffsetTracker(CommitPoint(0, ""))
    offset = 0
    while tracker.room:
        offset += 0x10000
        tracker.deliver(offset)
    for _ in range(MOST_RECORDS):
        offset += 0x10000
        tracker.deliver(offset)
    assert len(tracker.point().metadata) <= METADATA_LIMIT
