import pytest

from consumer.sink.segment_writer import SegmentWriter
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
def writer(layout, clock):
    return SegmentWriter(layout, TOPIC, following={}, take=lambda _: None, max_age_s=0.3, max_bytes=100, clock=clock)


def names(layout) -> list[str]:
    return [segment.name for segment in sorted(list_segments(layout.results))]


def test_a_segment_is_closed_at_its_age_counted_from_its_first_record(layout, clock, writer):
    assert writer.due_in_s() is None
    writer.add(make_record(b"a", 3))
    clock.now = 0.2
    writer.add(make_record(b"b", 7))
    writer.add(make_record(b"c", 0, partition=1))
    assert writer.due_in_s() == pytest.approx(0.1)
    writer.close_due()
    assert names(layout) == []
    clock.now = 0.3
    writer.close_due()
    assert names(layout) == ["qa.results-0-3-7.jsonl"]
    assert (layout.results / "qa.results-0-3-7.jsonl").read_bytes() == b"a\nb\n"
    assert writer.following == {0: 8}
    writer.close_all()
    assert writer.following == {0: 8, 1: 1}


def test_a_segment_is_closed_at_its_size(layout, writer):
    for offset in range(3):
        writer.add(make_record(b"x" * 60, offset))
    assert names(layout) == ["qa.results-0-0-1.jsonl"]


def test_what_is_discarded_leaves_nothing(layout, writer):
    writer.add(make_record(b"a", 0))
    writer.discard_all()
    assert list(layout.results.iterdir()) == []
    assert writer.due_in_s() is None
    assert writer.following == {}
