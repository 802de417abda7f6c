"""What stands in documents/ for what ledger and outcomes say."""

import asyncio
import random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.sink.documents import PIECES_PER_TURN, Documents
from consumer.sink.segment_writer import SegmentWriter
from output.formats.json_file import JsonFiles
from output.formats.registry import chosen_formats
from output.index.intake import add_segment_file
from output.layout import Layout
from output.manifest import read_manifest
from output.segments.naming import list_segments, next_offsets
from schemas import FileState, Status, encode
from tests.support.outcomes import make_complete, make_document, make_entry, make_result
from tests.support.outputs import TOPIC, Topics, live, make_record, open_existing, stored, times, tree

A = make_document("folder/a.md")
A2 = make_document("folder/a.md", version=2)
FILE = "folder/a.md.json"


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path / "out")


def read(layout: Layout, name: str = FILE) -> dict:
    return orjson.loads((layout.documents / name).read_bytes())


async def test_a_document_is_written_when_every_chunk_has_an_outcome(layout):
    topics = Topics(entries=[make_entry(A, 3)])
    topics.put(make_result(A, 2), make_result(A, 0, status=Status.EMPTY))
    await live(layout, topics)
    assert tree(layout.documents) == {}
    topics.put(make_result(A, 1, status=Status.FAILED, rejected=1))
    await live(layout, topics)
    document = read(layout)
    assert [pair["chunk"]["index"] for pair in document["pairs"]] == [2, 2]
    assert [failed["index"] for failed in document["failed"]] == [1]
    assert len(document["rejected"]) == 1
    assert document["pairs"][0]["evidence"] == [{"text": "电压是五伏。", "start": 0, "end": 6}]
    assert list(document) == [
        "schema", "document", "generation", "sha256", "encoding", "chunks", "complete", "pairs", "rejected", "failed",
    ]  # fmt: skip


async def test_an_empty_document_has_a_file_as_well(layout):
    await live(layout, Topics(entries=[make_entry(A, 0)]))
    assert read(layout)["pairs"] == []


@pytest.mark.parametrize("state", [FileState.PUBLISHING, FileState.ABANDONED, FileState.REJECTED])
async def test_what_is_not_complete_in_the_ledger_has_none(layout, state):
    topics = Topics(entries=[make_entry(A, 1, state=state)])
    topics.put(make_result(A, 0))
    await live(layout, topics)
    assert tree(layout.documents) == {}


async def test_the_last_attempt_counts_in_whatever_order_they_come(layout):
    topics = Topics(entries=[make_entry(A, 1)])
    topics.put(make_result(A, 0, attempt=1), make_result(A, 0, status=Status.FAILED))
    await live(layout, topics)
    assert read(layout)["failed"] == []
    topics.put(make_result(A, 0, attempt=2, status=Status.FAILED))
    await live(layout, topics)
    assert (read(layout)["pairs"], len(read(layout)["failed"])) == ([], 1)


async def test_an_outcome_that_comes_while_the_file_is_written_is_in_it_afterwards(layout):
    count = 3 * PIECES_PER_TURN
    topics = Topics(entries=[make_entry(A, count)])
    topics.put(*(make_result(A, i, status=Status.OK if i > 1 else Status.FAILED, pairs=1) for i in range(count)))
    await live(layout, topics, per_segment=count)
    with open_existing(layout) as index:
        documents = Documents(layout, index, read_manifest(layout.manifest), formats=chosen_formats(("documents",)))
        writer = SegmentWriter(
            layout, TOPIC, following=next_offsets(list_segments(layout.results)),
            take=lambda segment: add_segment_file(layout, index, segment), max_age_s=1, max_bytes=10**9, clock=lambda: 0.0,
        )  # fmt: skip

        def replay(chunk: int, offset: int) -> None:
            writer.add(make_record(encode(make_result(A, chunk, attempt=1, pairs=1)), offset))
            writer.close_all()

        async def replay_within() -> None:
            """Once the pieces of the first chunks are written, in the first turn that the loop gets."""
            await asyncio.sleep(0)
            assert list(layout.temp.iterdir())
            replay(1, 10_002)

        replay(0, 10_000)
        await asyncio.gather(documents.write_due(), replay_within())
        assert index.documents.due() == []
        assert index.documents.written(A.id).pairs == count
    assert (read(layout)["failed"], len(read(layout)["pairs"])) == ([], count)


async def test_the_older_version_stays_until_the_newer_is_complete(layout):
    topics = Topics(entries=[make_entry(A, 1)])
    topics.put(make_result(A, 0, pairs=1))
    await live(layout, topics)
    topics.entries.append(make_entry(A2, 2, complete=make_complete(2, 2)))
    topics.put(make_result(A2, 0, pairs=3))
    await live(layout, topics)
    assert read(layout)["document"]["version"] == 1
    topics.put(make_result(A2, 1, pairs=3))
    await live(layout, topics)
    assert read(layout)["document"]["version"] == 2
    assert len(read(layout)["pairs"]) == 6
    topics.put(make_result(A, 0, attempt=1, pairs=5))
    await live(layout, topics)
    assert read(layout)["document"]["version"] == 2


async def test_the_older_version_stays_even_if_the_index_is_lost_meanwhile(layout):
    topics = Topics(entries=[make_entry(A, 1)])
    topics.put(make_result(A, 0, pairs=1))
    await live(layout, topics)
    before = tree(layout.documents)
    topics.entries = [make_entry(A2, 2, complete=make_complete(2, 2))]  # compacted: nothing tells of version 1
    layout.index.unlink()
    await live(layout, topics)
    assert tree(layout.documents) == before
    with open_existing(layout) as index:
        assert index.documents.written(A.id).promise.age == (1, 0)
        assert index.totals().waiting == 1


async def test_a_newer_generation_replaces_an_older_one(layout):
    topics = Topics(entries=[make_entry(A, 2), make_entry(A, 2, generation=1)])
    topics.put(*(make_result(A, i, pairs=1) for i in range(2)), *(make_result(A, i, generation=1) for i in range(2)))
    await live(layout, topics)
    assert (read(layout)["generation"], len(read(layout)["pairs"])) == (1, 4)


async def test_a_forgotten_document_is_removed_with_its_empty_folders(layout):
    topics = Topics(entries=[make_entry(A, 1), make_entry(make_document("b.md"), 0)])
    topics.put(make_result(A, 0))
    await live(layout, topics)
    assert set(tree(layout.documents)) == {FILE, "b.md.json"}
    topics.entries.append(make_entry(A, 1, state=FileState.FORGOTTEN))
    await live(layout, topics)
    assert set(tree(layout.documents)) == {"b.md.json"}
    assert not (layout.documents / "folder").exists()
    with open_existing(layout) as index:
        assert index.totals().documents == 1
        assert index.totals().pairs == 0


@pytest.mark.parametrize("state", [FileState.PUBLISHING, FileState.ABANDONED, FileState.REJECTED])
@pytest.mark.parametrize("lost", [False, True], ids=["", "index lost"])
async def test_what_was_forgotten_goes_though_only_a_later_entry_tells(layout, state, lost):
    topics = Topics(entries=[make_entry(A, 1)])
    topics.put(make_result(A, 0))
    await live(layout, topics)
    topics.entries += [make_entry(A, 1, state=FileState.FORGOTTEN), make_entry(A2, 1, state=state)]
    if lost:
        layout.index.unlink()
        del topics.entries[:-1]  # compaction leaves the newest one
    await live(layout, topics)
    assert tree(layout.documents) == {}
    with open_existing(layout) as index:
        assert (index.totals().documents, list(index.documents.all_written())) == (0, [])


async def test_an_entry_from_before_it_was_complete_forgets_nothing(layout):
    topics = Topics(entries=[make_entry(A, 1)])
    topics.put(make_result(A, 0))
    await live(layout, topics)
    before = tree(layout.documents)
    layout.index.unlink()
    topics.entries = [make_entry(A, 0, state=FileState.PUBLISHING)]
    await live(layout, topics)
    assert tree(layout.documents) == before
    topics.entries.append(make_entry(A, 1))
    await live(layout, topics)
    with open_existing(layout) as index:
        assert index.totals().documents == 1


async def test_a_second_life_touches_nothing_and_a_lost_file_comes_back(layout):
    topics = Topics(entries=[make_entry(A, 1), make_entry(make_document("b.md"), 0)])
    topics.put(make_result(A, 0))
    await live(layout, topics)
    before = times(layout.documents, [FILE, "b.md.json"])
    content = tree(layout.documents)
    await live(layout, topics)
    assert times(layout.documents, before) == before
    layout.index.unlink()
    (layout.documents / FILE).unlink()
    await live(layout, topics)
    assert tree(layout.documents) == content
    assert times(layout.documents, ["b.md.json"])["b.md.json"] == before["b.md.json"]


async def test_sources_with_the_same_paths_do_not_meet(layout):
    other = make_document("folder/a.md", source="news")
    topics = Topics(entries=[make_entry(A, 1), make_entry(other, 1)])
    topics.put(make_result(A, 0, pairs=1), make_result(other, 0, pairs=2))
    await live(layout, topics)
    layout.index.unlink()
    await live(layout, topics)
    assert len(read(layout)["pairs"]) == 1
    assert len(read(layout, "@news/folder/a.md.json")["pairs"]) == 2


async def test_a_hostile_path_stays_inside(layout):
    bad = make_document("x").model_copy(update={"path": "../../escaped"})
    topics = Topics(entries=[make_entry(bad, 1)])
    topics.put(make_result(bad, 0))
    await live(layout, topics)
    assert set(tree(layout.documents)) == {f"@@/{bad.id}.json"}
    assert not list(layout.root.parent.rglob("escaped*"))


async def test_undecodable_records_are_kept_and_counted(layout, caplog):
    topics = Topics(entries=[make_entry(A, 1)])
    topics.put(b"\xff not json", None, b"two\nlines", make_result(A, 0), b"")
    await live(layout, topics)
    assert stored(layout.root) == topics.values()
    assert len(read(layout)["pairs"]) == 2
    with open_existing(layout) as index:
        totals = index.totals()
    assert (totals.records, totals.undecodable) == (5, 4)
    assert "not a result" in caplog.text


async def test_without_files_the_index_still_knows_what_is_complete(layout):
    topics = Topics(entries=[make_entry(A, 1)])
    topics.put(make_result(A, 0))
    await live(layout, topics, formats=())
    assert tree(layout.documents) == {}
    with open_existing(layout) as index:
        assert [written.name for written in index.documents.all_written()] == [None]
    await live(layout, topics)
    assert set(tree(layout.documents)) == {FILE}


async def test_the_head_is_read_without_the_rest(layout):
    topics = Topics(entries=[make_entry(A, 1)])
    topics.put(make_result(A, 0))
    await live(layout, topics)
    promise = JsonFiles().promise_in(layout.documents / FILE)
    assert (promise.document, promise.chunks, promise.encoding) == (A, 1, "utf-8")
    (layout.documents / "other.json").write_text("{}")
    assert JsonFiles().promise_in(layout.documents / "other.json") is None
    assert JsonFiles().promise_in(layout.documents / "none.json") is None


@given(seed=st.integers(0, 10**6))
@settings(max_examples=15)
async def test_order_segments_merges_and_restarts_make_no_difference(tmp_path_factory, seed):
    choose = random.Random(seed)
    documents = [make_document(f"d{i}.txt", version=choose.randint(1, 2)) for i in range(4)]
    results = [
        make_result(document, index, attempt=attempt, status=choose.choice(list(Status)), rejected=choose.randint(0, 1))
        for document in documents
        for index in range(3)
        for attempt in range(choose.randint(1, 2))
    ]
    entries = [make_entry(document, 3) for document in documents]
    trees = []
    for _ in range(2):
        layout, topics = Layout(tmp_path_factory.mktemp("out")), Topics()
        choose.shuffle(results)
        choose.shuffle(entries)
        topics.entries.append(make_entry(make_document("first"), 0))
        for result in results:
            topics.put(result, partition=choose.randint(0, 1))
            if choose.random() < 0.2:
                await live(layout, topics, per_segment=choose.randint(1, 4))
                topics.entries += [entries.pop()] if entries else []
        topics.entries += entries
        entries = [make_entry(document, 3) for document in documents]
        await live(layout, topics)
        assert stored(layout.root) == topics.values()
        trees.append(tree(layout.documents))
    assert len(trees[0]) == 5
    assert trees[0] == trees[1]
