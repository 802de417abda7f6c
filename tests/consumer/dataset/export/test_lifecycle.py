"""A document's way through versions, generations, vanishing and forgetting: documents, export and verify agree."""

import asyncio

import orjson
import pyarrow.parquet as pq
import pytest

from chaos.waiting import eventually
from configs.settings import Settings
from consumer.dataset.export.dataset import export
from consumer.dataset.export.gathering import Choice
from consumer.dataset.verify.verification import verify
from output.layout import Layout
from schemas import FileState
from tests.support.outcomes import (
    make_chunk_of,
    make_complete,
    make_document,
    make_entry,
    make_result,
    publish,
    running_sink,
)

FORMATS = "documents,parquet"
V1, V2, OTHER = make_document("sub/a.md"), make_document("sub/a.md", version=2), make_document("b.md")


def answered(document, generation: int = 0, *, chunks: int = 2) -> list:
    results = [make_result(document, index, generation=generation, pairs=1) for index in range(chunks)]
    return [message for result in results for message in (make_chunk_of(result), result)]


@pytest.fixture
def sink(make_settings, tmp_path):
    settings = make_settings(formats=FORMATS)
    publish(settings, *answered(OTHER), make_entry(OTHER, 2))
    with running_sink(settings, tmp_path / "out", "--formats", FORMATS) as sink:
        yield settings, sink
        assert sink.stop() == 0


def seen(output) -> dict[str, set[tuple[int, int]]]:
    """Versions and generations of sub/a.md, in each of the things made of the segments."""
    layout = Layout(output)
    document, table = layout.documents / "sub/a.md.json", layout.root / "parquet" / "sub/a.md.parquet"
    made = {"document": set(), "parquet": set()}
    if document.exists():
        found = orjson.loads(document.read_bytes())
        made["document"] = {(found["document"]["version"], found["generation"])}
    if table.exists():
        made["parquet"] = {(row["version"], row["generation"]) for row in pq.read_table(table).to_pylist()}
    export(layout, "jsonl", layout.exports / "jsonl", choice=Choice(keep_duplicates=True))
    items = [orjson.loads(line) for line in (layout.exports / "jsonl/train.jsonl").read_bytes().splitlines()]
    made["export"] = {(item["version"], item["generation"]) for item in items if item["document"] == "sub/a.md"}
    assert sum(item["document"] == "b.md" for item in items) == 2
    return made


def expect(settings: Settings, sink, *ages: tuple[int, int], documents: int) -> None:
    """All agree, and the balance sheet does not object."""
    wanted = {made: set(ages) for made in ("document", "parquet", "export")}
    eventually(lambda: sink.status().get("documents") == documents and seen(sink.output) == wanted, what=sink.lines)
    assert differences(settings, sink.output) == []


def differences(settings: Settings, output) -> list[str]:
    balance = asyncio.run(verify(settings.kafka, settings.producer, Layout(output), settings.sink.formats))
    return [difference.what for difference in balance.differences]


def test_the_newest_complete_version_and_generation_is_what_there_is(sink):
    settings, sink = sink
    publish(settings, *answered(V1), make_entry(V1, 2))
    expect(settings, sink, (1, 0), documents=2)
    again = make_entry(V1, 1, generation=1, state=FileState.PUBLISHING, complete=make_complete(1, 2))
    publish(settings, again, *answered(V1, 1)[:2])
    eventually(lambda: sink.status()["records"] == 5, what=sink.lines)
    expect(settings, sink, (1, 0), documents=2)  # half regenerated
    publish(settings, *answered(V1, 1)[2:], make_entry(V1, 2, generation=1))
    expect(settings, sink, (1, 1), documents=2)
    publish(settings, make_entry(V2, 0, state=FileState.PUBLISHING, complete=make_complete(1, 2, generation=1)))
    expect(settings, sink, (1, 1), documents=2)
    publish(settings, *answered(V2), make_entry(V2, 2))
    expect(settings, sink, (2, 0), documents=2)


def test_a_vanished_document_stays_and_a_forgotten_one_goes_until_it_comes_again(sink):
    settings, sink = sink
    publish(settings, *answered(V1), make_entry(V1, 2))
    publish(settings, make_entry(V1, 2, state=FileState.VANISHED, complete=make_complete(1, 2)))
    expect(settings, sink, (1, 0), documents=2)
    before = {path.name: path.read_bytes() for path in (sink.output / "results").glob("*.jsonl")}
    publish(settings, make_entry(V1, 2, state=FileState.FORGOTTEN))
    expect(settings, sink, documents=1)
    after = {path.name: path.read_bytes() for path in (sink.output / "results").glob("*.jsonl")}
    assert b"".join(sorted(after.values())).count(V1.id.encode()) == b"".join(before.values()).count(V1.id.encode()) > 0
    late = make_result(V1, 0, attempt=1, pairs=1)
    publish(settings, make_chunk_of(late), late)  # a replay that was on its way
    eventually(lambda: sink.status()["records"] == 5, what=sink.lines)
    expect(settings, sink, documents=1)
    publish(settings, *answered(V2), make_entry(V2, 2))
    expect(settings, sink, (2, 0), documents=2)


def test_a_file_of_a_forgotten_document_that_is_still_there_is_named(sink):
    settings, sink = sink
    publish(settings, *answered(V1), make_entry(V1, 2))
    expect(settings, sink, (1, 0), documents=2)
    sink.stop()
    publish(settings, make_entry(V1, 2, state=FileState.FORGOTTEN))
    assert differences(settings, sink.output) == ["documents are forgotten, but their files are still there"]


def test_a_parquet_file_that_was_changed_is_named(sink):
    settings, sink = sink
    publish(settings, *answered(V1), make_entry(V1, 2))
    expect(settings, sink, (1, 0), documents=2)
    path = sink.output / "parquet/sub/a.md.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 1), path)
    assert differences(settings, sink.output) == ["document files are missing, or not what the segments say"]
