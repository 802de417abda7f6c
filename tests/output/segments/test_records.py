from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from output.errors import SegmentsError
from output.segments.naming import (
    FAN,
    Segment,
    adjacent_runs,
    covering,
    from_line,
    iter_records,
    last_value,
    list_segments,
    next_offsets,
    parse_name,
    plan_merge,
    read_segment,
    to_line,
)

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
    assert len(adjacent_runs(apart)) == 3
    assert next_offsets([]) == {}


@given(st.none() | st.binary())
def test_any_value_is_a_line_and_comes_back(value):
    line = to_line(value)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert from_line(line) == from_line(line[:-1]) == value


@given(st.none() | st.binary())
def test_a_value_that_looks_like_a_wrapped_one_comes_back(value):
    wrapped = to_line(value)[:-1]
    assert from_line(to_line(wrapped)) == wrapped


def test_json_stands_in_the_file_as_it_is():
    assert to_line(b'{"a":1}') == b'{"a":1}\n'


def write(folder: Path, segment: Segment, values: list[bytes | None]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / segment.name).write_bytes(b"".join(map(to_line, values)))


@given(values=st.lists(st.none() | st.binary(max_size=200), min_size=1, max_size=20))
def test_places_of_records_are_the_bytes_of_their_lines(tmp_path_factory, values):
    folder, segment = tmp_path_factory.mktemp("segments"), Segment("t", 0, 0, 100)
    write(folder, segment, values)
    data = (folder / segment.name).read_bytes()
    records = list(read_segment(folder, segment))
    assert [record.value for record in records] == values
    assert [from_line(data[r.start : r.start + r.length]) for r in records] == values
    assert last_value(folder, segment) == values[-1]


def test_the_last_value_is_found_behind_long_lines(tmp_path):
    segment = Segment("t", 0, 0, 1)
    for values in ([b"a", b"x" * 1_000_000], [b"y" * 3_000_000], [b"x" * 500_000, b""]):
        write(tmp_path, segment, values)
        assert last_value(tmp_path, segment) == values[-1]


def test_a_torn_segment_is_refused(tmp_path):
    segment = Segment("t", 0, 0, 1)
    (tmp_path / segment.name).write_bytes(b"whole\ntorn")
    with pytest.raises(SegmentsError, match="ends within a line"):
        list(read_segment(tmp_path, segment))


def merge_on_disk(folder: Path, parts: list[Segment], *, keep: bool = False) -> None:
    data = b"".join((folder / part.name).read_bytes() for part in parts)
    (folder / merged(parts).name).write_bytes(data)
    if not keep:
        for part in parts:
            (folder / part.name).unlink()


@given(parts=tiled(), data=st.data())
def test_a_reader_sees_each_record_once_while_segments_are_merged(tmp_path_factory, parts, data):
    output = tmp_path_factory.mktemp("output")
    folder, expected = output / "results", []
    for part in parts:
        values = [f"{part.first}.{i}".encode() for i in range(data.draw(st.integers(1, 3)))]
        write(folder, part, values)
        expected += values
    merges = data.draw(st.lists(st.integers(0, len(expected)), max_size=4))
    found = []
    for record in iter_records(output):
        if len(found) in merges:
            present = covering(list_segments(folder))
            start = data.draw(st.integers(0, len(present) - 1))
            chosen = present[start : data.draw(st.integers(start + 1, len(present)))]
            if len(chosen) > 1:
                merge_on_disk(folder, chosen, keep=data.draw(st.booleans()))
        found.append(record.value)
    assert found == expected


def test_records_come_by_partition_and_offset_and_of_the_topic_asked_for(tmp_path):
    for segment in (Segment("t", 1, 0, 0), Segment("t", 0, 10, 12), Segment("t", 0, 2, 9), Segment("u", 0, 0, 0)):
        write(tmp_path / "results", segment, [segment.name.encode()])
    found = [record.value for record in iter_records(tmp_path, topic="t")]
    assert found == [b"t-0-2-9.jsonl", b"t-0-10-12.jsonl", b"t-1-0-0.jsonl"]
    assert len(list(iter_records(tmp_path))) == 4
    assert list(iter_records(tmp_path / "none")) == []


@given(st.lists(st.integers(1, 10**6), max_size=60))
def test_a_merge_is_of_neighbours_within_the_limit(sizes):
    chosen = plan_merge(sizes, limit_bytes=10**5)
    if chosen is not None:
        assert len(chosen) >= 2
        assert 0 <= chosen.start < chosen.stop <= len(sizes)
        assert sum(sizes[i] for i in chosen) <= 10**5


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=600))
def test_merging_as_segments_come_keeps_few_of_them_and_rewrites_each_byte_rarely(arrivals):
    sizes, rewritten, limit = [], 0, 10**6
    for size in arrivals:
        sizes.append(size)
        while chosen := plan_merge(sizes, limit_bytes=limit):
            total = sum(sizes[chosen.start : chosen.stop])
            rewritten += total
            sizes[chosen.start : chosen.stop] = [total]
    large = [size for size in sizes if size * 2 > limit]
    assert len(sizes) - len(large) <= 7 * FAN
    assert rewritten <= 7 * sum(arrivals)
