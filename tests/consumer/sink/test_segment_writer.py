import pytest

from consumer.sink.segment_writer import Intake
from output.layout import Layout
from output.segments.naming import list_segments
from tests.support.outputs import TOPIC, make_record


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path)
    layout.make()
    return layout


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def intake(layout, clock):
    return Intake(layout, TOPIC, following={}, take=lambda _: None, max_age_s=0.3, max_bytes=100, clock=clock)


def names(layout) -> list[str]:
    return [segment.name for segment in sorted(list_segments(layout.results))]


def test_a_segment_is_closed_at_its_age_counted_from_its_first_record(layout, clock, intake):
    assert intake.due_in_s() is None
    intake.add(make_record(b"a", 3))
    clock.now = 0.2
    intake.add(make_record(b"b", 7))
    intake.add(make_record(b"c", 0, partition=1))
    assert intake.due_in_s() == pytest.approx(0.1)
    intake.close_due()
    assert names(layout) == []
    clock.now = 0.3
    intake.close_due()
    assert names(layout) == ["qa.results-0-3-7.jsonl"]
    assert (layout.results / "qa.results-0-3-7.jsonl").read_bytes() == b"a\nb\n"
    assert intake.following == {0: 8}
    intake.close_all()
    assert intake.following == {0: 8, 1: 1}


def test_a_segment_is_closed_at_its_size(layout, intake):
    for offset in range(3):
        intake.add(make_record(b"x" * 60, offset))
    assert names(layout) == ["qa.results-0-0-1.jsonl"]


def test_what_is_discarded_leaves_nothing(layout, intake):
    intake.add(make_record(b"a", 0))
    intake.discard_all()
    assert list(layout.results.iterdir()) == []
    assert intake.due_in_s() is None
    assert intake.following == {}
