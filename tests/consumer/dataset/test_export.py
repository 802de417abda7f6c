"""Export from what a sink wrote."""

import subprocess
import sys

import orjson
import pytest

from consumer.dataset.errors import DatasetError, NothingThereError
from consumer.dataset.export import export
from consumer.dataset.formats import FORMATS
from consumer.dataset.pairs import iter_pairs
from consumer.sink.layout import Layout
from schemas import Status
from tests.support.outcomes import make_complete, make_document, make_entry, make_result
from tests.support.outputs import Topics, live


def commanded(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "consumer", "export", *arguments], capture_output=True, text=True, check=False
    )


def written(layout: Layout, name: str = "jsonl"):
    out = layout.exports / name
    count = export(layout, FORMATS[name], out)
    data = out.read_bytes()
    items = orjson.loads(data) if FORMATS[name].array else [orjson.loads(line) for line in data.splitlines()]
    assert len(items) == count
    return items


@pytest.fixture
async def layout(tmp_path):
    """b.md in version 2, whose version 1 is there as well; a.md of which an attempt failed; c.md unfinished."""
    layout, topics = Layout(tmp_path / "out"), Topics()
    a, b, c = make_document("z/a.md"), make_document("b.md", version=2), make_document("c.md")
    topics.entries = [make_entry(b, 2, complete=make_complete(2, 2)), make_entry(a, 2), make_entry(c, 2)]
    topics.put(make_result(make_document("b.md"), 0, pairs=9), make_result(b, 1, pairs=1), make_result(a, 1, pairs=1))
    topics.put(make_result(a, 0, status=Status.FAILED), make_result(c, 0), make_result(b, 0, pairs=1, rejected=3))
    topics.put(make_result(a, 0, attempt=1, pairs=2))
    await live(layout, topics)
    return layout


async def test_pairs_of_the_newest_complete_versions_in_order(layout):
    items = written(layout)
    assert [(item["document"], item["chunk_index"], item["version"]) for item in items] == [
        ("b.md", 0, 2), ("b.md", 1, 2), ("z/a.md", 0, 1), ("z/a.md", 0, 1), ("z/a.md", 1, 1),
    ]  # fmt: skip
    first = items[0]
    assert (first["question"], first["answer"], first["type"]) == ("电压是多少？(0)", "五伏。", "factual")
    assert first["evidence"] == [{"text": "电压是五伏。", "start": 0, "end": 6}]
    assert (first["language"], first["model"], first["recipe"]) == ("zh", "qwen-vllm", "fast")
    assert len({item["id"] for item in items}) == 5


async def test_training_formats(layout):
    question, answer = "电压是多少？(0)", "五伏。"
    assert written(layout, "alpaca")[0] == {"instruction": question, "input": "", "output": answer}
    assert written(layout, "sharegpt")[0] == {
        "conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    }
    assert written(layout, "openai")[0] == {
        "messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    }


@pytest.mark.parametrize("name", FORMATS)
async def test_a_directory_without_pairs_gives_an_empty_file_that_can_be_read(tmp_path, name):
    layout = Layout(tmp_path / "out")
    await live(layout, Topics(entries=[make_entry(make_document("a.md"), 0)]))
    assert written(layout, name) == []


async def test_the_same_results_give_the_same_bytes(layout):
    out = layout.exports / "one.jsonl"
    export(layout, FORMATS["jsonl"], out)
    before = out.read_bytes()
    export(layout, FORMATS["jsonl"], out)
    assert out.read_bytes() == before
    assert [path.name for path in layout.exports.iterdir()] == ["one.jsonl"]


async def test_a_running_sink_may_merge_meanwhile(tmp_path):
    layout, document = Layout(tmp_path / "out"), make_document("a.md")
    topics = Topics(entries=[make_entry(document, 30)])
    for index in range(30):
        topics.put(make_result(document, index, pairs=1))
    await live(layout, topics, limit_bytes=1)
    before = len(list(layout.results.iterdir()))
    pairs = iter_pairs(layout)
    found = [next(pairs) for _ in range(3)]
    await live(layout, topics)
    assert len(list(layout.results.iterdir())) < before
    found += pairs
    assert [each.result["chunk"]["index"] for each in found] == list(range(30))


async def test_the_command_says_what_came_out_and_where(layout):
    finished = commanded("--output-dir", str(layout.root), "--format", "alpaca")
    assert (finished.returncode, finished.stdout) == (0, f"5 pairs -> {layout.root}/exports/alpaca.json\n")
    finished = commanded("--output-dir", str(layout.root), "--format", "jsonl", "--out", str(layout.root / "x/y.jsonl"))
    assert finished.returncode == 0
    assert len((layout.root / "x/y.jsonl").read_bytes().splitlines()) == 5


async def test_what_can_not_be_done_is_said_in_a_line(layout, tmp_path):
    for arguments, code, said in (
        (["--output-dir", str(tmp_path / "none"), "--format", "jsonl"], 1, "no such directory"),
        (["--output-dir", str(tmp_path), "--format", "jsonl"], 1, "no sink has written here"),
        (["--format", "jsonl"], 2, "--output-dir"),
        (["--output-dir", str(layout.root), "--format", "jsonl", "--out", "/proc/x"], 1, "can't be written"),
    ):
        finished = commanded(*arguments)
        assert (finished.returncode, said in finished.stderr, "Traceback" in finished.stderr) == (code, True, False), (
            finished.stderr
        )
    layout.index.write_bytes(b"garbage" * 500)
    with pytest.raises(DatasetError, match="--rebuild"):
        written(layout)
    layout.index.unlink()
    with pytest.raises(NothingThereError):
        written(layout)
