from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from output.errors import SegmentsError
from output.segments.lines import from_line, to_line
from output.segments.naming import Segment, covering, list_segments
from output.segments.records import iter_records, last_value, read_segment
from tests.output.segments.test_naming import merged, tiled


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
