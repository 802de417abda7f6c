"""Parquet files of documents: derived from the segments as the JSON files are."""

import pyarrow.parquet as pq
import pytest

from output.formats.parquet_io import ROWS, has_rows, parquet_pieces, read_metadata
from output.formats.registry import chosen_formats
from output.layout import Layout
from output.names import document_path
from schemas import FileState, Status
from tests.support.outcomes import make_document, make_entry, make_result
from tests.support.outputs import Topics, live, times, tree

BOTH = ("documents", "parquet")
FEATURES = {"name": "string", "values": ["int64"], "place": {"start": "int64"}}


def rows(count: int) -> list[dict]:
    return [{"name": f"第{n}", "values": list(range(n % 4)), "place": {"start": n}} for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, ROWS, 2 * ROWS + 1])
def test_rows_come_back_and_a_changed_one_is_noticed(tmp_path, count):
    path, made = tmp_path / "a.parquet", rows(count)
    path.write_bytes(b"".join(parquet_pieces(made, FEATURES, {"of": "数据"})))
    assert pq.read_table(path).to_pylist() == made
    assert read_metadata(path)["of"] == "数据"
    assert has_rows(path, made, FEATURES, {"of": "数据"})
    assert not has_rows(path, made, FEATURES, {"of": "other"})
    assert not has_rows(path, rows(count + 1), FEATURES, {"of": "数据"})
    if made:
        assert not has_rows(path, made[:-1], FEATURES, {"of": "数据"})
        assert not has_rows(path, [*made[:-1], made[-1] | {"name": "x"}], FEATURES, {"of": "数据"})


def test_what_is_no_parquet_has_no_rows(tmp_path):
    path = tmp_path / "a.parquet"
    assert (read_metadata(path), has_rows(path, [], FEATURES, {})) == ({}, False)
    path.write_bytes(b"garbage" * 10)
    assert (read_metadata(path), has_rows(path, [], FEATURES, {})) == ({}, False)


async def test_a_row_for_each_pair_kept_and_rejected_of_the_newest_version(tmp_path):
    layout, one, two = Layout(tmp_path / "out"), make_document("sub/a.md"), make_document("b.md")
    topics = Topics(entries=[make_entry(one, 2), make_entry(two, 0)])
    topics.put(make_result(one, 1, rejected=1), make_result(one, 0, status=Status.FAILED))
    await live(layout, topics, formats=BOTH)
    table = pq.read_table(layout.root / "parquet" / "sub/a.md.parquet").to_pylist()
    assert [(row["chunk_index"], row["status"], row["reasons"]) for row in table] == [
        (1, "kept", []), (1, "kept", []), (1, "rejected", ["evidence"]),
    ]  # fmt: skip
    assert table[0]["evidence"] == [{"text": "电压是五伏。", "start": 0, "end": 6}]
    assert pq.read_table(layout.root / "parquet" / "b.md.parquet").num_rows == 0
    newer = make_document("sub/a.md", version=2)
    topics.entries.append(make_entry(newer, 1))
    topics.put(make_result(newer, 0, pairs=1))
    await live(layout, topics, formats=BOTH)
    assert [row["version"] for row in pq.read_table(layout.root / "parquet" / "sub/a.md.parquet").to_pylist()] == [2]
    assert list(tree(layout.root / "parquet")) == ["b.md.parquet", "sub/a.md.parquet"]


async def test_what_is_removed_changed_or_newly_asked_for_is_made_again_and_the_rest_left_alone(tmp_path):
    layout, document = Layout(tmp_path / "out"), make_document("a.md")
    topics = Topics(entries=[make_entry(document, 1)])
    topics.put(make_result(document, 0))
    await live(layout, topics)
    before = times(layout.documents, ["a.md.json"])
    await live(layout, topics, formats=BOTH)
    made = tree(layout.root / "parquet")
    assert list(made) == ["a.md.parquet"]
    ((layout.root / "parquet") / "a.md.parquet").unlink()
    layout.index.unlink()
    await live(layout, topics, formats=BOTH)
    assert tree(layout.root / "parquet") == made
    stamps = times((layout.root / "parquet"), made)
    await live(layout, topics, formats=("parquet",))
    assert times((layout.root / "parquet"), made) == stamps
    assert times(layout.documents, ["a.md.json"]) == before


@pytest.mark.parametrize("newer", [{"version": 2}, {"attempt": 1}])
async def test_a_format_that_was_left_out_for_a_while_is_brought_up_to_date(tmp_path, newer):
    layout, document = Layout(tmp_path / "out"), make_document("a.md")
    topics = Topics(entries=[make_entry(document, 1)])
    topics.put(make_result(document, 0, pairs=1))
    await live(layout, topics, formats=BOTH)
    changed = make_document("a.md", version=newer.get("version", 1))
    topics.entries.append(make_entry(changed, 1))
    topics.put(make_result(changed, 0, attempt=newer.get("attempt", 0), pairs=5))
    await live(layout, topics, formats=("documents",))
    assert pq.read_table(layout.root / "parquet" / "a.md.parquet").num_rows == 1
    stamps = times(layout.documents, ["a.md.json"])
    await live(layout, topics, formats=BOTH)
    assert pq.read_table(layout.root / "parquet" / "a.md.parquet").num_rows == 5
    assert times(layout.documents, stamps) == stamps


async def test_a_forgotten_document_goes_from_all_formats_also_from_those_not_written_now(tmp_path):
    layout, document = Layout(tmp_path / "out"), make_document("sub/deep/a.md")
    topics = Topics(entries=[make_entry(document, 1)])
    topics.put(make_result(document, 0))
    await live(layout, topics, formats=BOTH)
    topics.entries.append(make_entry(document, 1, state=FileState.FORGOTTEN))
    await live(layout, topics, formats=("documents",))
    assert (list((layout.root / "parquet").iterdir()), list(layout.documents.iterdir())) == ([], [])


async def test_an_older_version_stays_until_the_newer_one_is_complete_with_parquet_alone(tmp_path):
    layout, document = Layout(tmp_path / "out"), make_document("a.md")
    topics = Topics(entries=[make_entry(document, 1)])
    topics.put(make_result(document, 0))
    await live(layout, topics, formats=("parquet",))
    made = tree(layout.root / "parquet")
    layout.index.unlink()
    newer = make_document("a.md", version=2)
    topics.entries = [make_entry(newer, 2)]
    topics.put(make_result(newer, 0))
    await live(layout, topics, formats=("parquet",))
    assert tree(layout.root / "parquet") == made
    (derived,) = chosen_formats(("parquet",))
    assert derived.promise_in(document_path(layout, derived, "a.md.json")).document.version == 1
