import pytest
from hypothesis import given
from hypothesis import strategies as st

from output.errors import SegmentsError
from output.segments.naming import Segment, covering, next_offsets, parse_name, partition_of_temp, temp_name

TOPICS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}\.results", fullmatch=True)
OFFSETS = st.integers(0, 2**63 - 1)


@st.composite
def segments(draw):
    first, last = sorted((draw(OFFSETS), draw(OFFSETS)))
    return Segment(draw(TOPICS), draw(st.integers(0, 1000)), first, last)


@st.composite
def tiled(draw, topic="t.results", partition=0):
    """Adjacent segments of one partition with gaps between them, as a sink writes them."""
    bounds = sorted(draw(st.sets(st.integers(0, 10_000), min_size=2, max_size=40)))
    return [Segment(topic, partition, a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=False)]


def merged(parts: list[Segment]) -> Segment:
    return Segment(parts[0].topic, parts[0].partition, parts[0].first, parts[-1].last)


@given(segments())
def test_a_name_tells_its_segment(segment):
    assert parse_name(segment.name) == segment


@given(st.text(max_size=60))
def test_other_names_are_no_segments_or_round_trip(name):
    parsed = parse_name(name)
    assert parsed is None or parsed.name == name


@pytest.mark.parametrize(
    "name",
    ["", "qa.results-0-0-1.json", "qa.results-0-5-4.jsonl", "qa.results-0-05-6.jsonl", "-0-0-1.jsonl", "a/b-0-0-1.jsonl",
     ".qa.results-0.tmp", "qa.results-0-0-1.jsonl\n", "qa.results-0-0-١.jsonl"],
)  # fmt: skip
def test_foreign_names_are_left_alone(name):
    assert parse_name(name) is None


@given(tiled(), st.data())
def test_whatever_a_crash_in_a_merge_leaves_each_range_counts_once(parts, data):
    """Merges of merges, at each of which some parts may not have been removed."""
    counting, left_over = list(parts), []
    for _ in range(data.draw(st.integers(0, 4))):
        if len(counting) < 2:
            break
        start = data.draw(st.integers(0, len(counting) - 2))
        stop = data.draw(st.integers(start + 2, len(counting)))
        chosen = counting[start:stop]
        left_over += data.draw(st.lists(st.sampled_from(chosen), unique=True))
        counting[start:stop] = [merged(chosen)]
    found = data.draw(st.permutations(counting + left_over))
    assert covering(found) == counting
    assert next_offsets(found) == {0: parts[-1].last + 1}


def test_partly_overlapping_ranges_are_refused_by_name():
    with pytest.raises(SegmentsError, match=r"t-0-0-5\.jsonl and results/t-0-3-9\.jsonl"):
        covering([Segment("t", 0, 0, 5), Segment("t", 0, 3, 9)])


def test_partitions_and_topics_do_not_cover_one_another():
    apart = [Segment("a", 0, 0, 9), Segment("a", 1, 2, 5), Segment("b", 0, 2, 5)]
    assert covering(apart) == apart
    assert next_offsets([]) == {}


def test_a_temporary_name_tells_its_partition():
    assert partition_of_temp(temp_name("qa.results", 12)) == 12
    assert partition_of_temp(temp_name("qa.results", 3, merged=True)) == 3
    assert partition_of_temp("qa.results-0-0-1.jsonl") is None
