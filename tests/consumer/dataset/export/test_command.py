"""Export from what a sink wrote."""

import fcntl
import os
import subprocess
import sys
from collections import Counter
from itertools import combinations

import orjson
import pytest

from consumer.dataset.errors import DatasetError, NothingThereError
from consumer.dataset.export.dataset import export
from consumer.dataset.export.filters import PairFilter
from consumer.dataset.export.formats import FORMATS
from consumer.dataset.export.gathering import Choice
from consumer.dataset.export.proportions import DEFAULT, parse_proportions
from consumer.dataset.export.similarity import fold, jaccard, shingles
from consumer.dataset.pairs import iter_pairs
from output.layout import Layout
from schemas import Status
from tests.support.outcomes import make_complete, make_document, make_entry, make_result
from tests.support.outputs import Topics, live, tree
from tests.support.pairs import a_pair, a_result, hash_word

ALL = Choice(keep_duplicates=True)


def commanded(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "consumer", "export", *arguments], capture_output=True, text=True, check=False
    )


def items_in(path) -> list[dict]:
    if path.suffix == ".json":
        return orjson.loads(path.read_bytes())
    if path.suffix == ".jsonl":
        return [orjson.loads(line) for line in path.read_bytes().splitlines()]
    import pyarrow.parquet as pq

    return pq.read_table(path).to_pylist()


def written(layout: Layout, name: str = "jsonl", choice: Choice = ALL, *, file: str = "train", **more) -> list[dict]:
    export(layout, name, layout.exports / name, choice=choice, **more)
    return items_in(layout.exports / name / f"{file}{FORMATS[name].suffix}")


async def laid_out(tmp_path, *results, chunks: int = 100) -> Layout:
    """An output directory with documents of those results."""
    layout, topics = Layout(tmp_path / "out"), Topics()
    counts = Counter(result.document.path for result in results)
    topics.entries = [make_entry(make_document(path), count) for path, count in counts.items()]
    topics.put(*results)
    await live(layout, topics, per_segment=20)
    return layout


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


@pytest.mark.parametrize("name", FORMATS)
async def test_the_same_results_give_the_same_bytes_however_they_lie(tmp_path, name):
    document, other = make_document("a.md"), make_document("b.md")
    results = [a_result(d, i, [a_pair(f"问题{d.path}{i}?")]) for d in (document, other) for i in range(30)]
    choice = Choice(validation=0.3)
    layout = await laid_out(tmp_path / "one", *results)
    export(layout, name, layout.exports / name, choice=choice)
    shuffled = await laid_out(tmp_path / "two", *reversed(results))
    export(shuffled, name, shuffled.exports / name, choice=choice)
    export(shuffled, name, shuffled.exports / name, choice=choice)  # takes the place of the one before
    assert tree(shuffled.exports) == tree(layout.exports)
    assert len(tree(layout.exports)) == 3


async def test_filters(tmp_path):
    a, b = make_document("power/a.md"), make_document("b.md")
    layout = await laid_out(
        tmp_path,
        a_result(a, 0, [a_pair("第一个问题", scores={"answer": 4, "question": 2}), a_pair("其他东西", kind="open")]),
        a_result(b, 0, [a_pair("What is it?", language="en")], [a_pair("被拒绝的")], model="qwq"),
    )
    for asked, expected in (
        (PairFilter(types=frozenset({"open"})), ["其他东西"]),
        (PairFilter(scores={"answer": 4}), ["第一个问题"]),
        (PairFilter(scores={"answer": 4.5}), []),
        (PairFilter(scores={"": 3}), []),
        (PairFilter(scores={"": 2}), ["第一个问题"]),
        (PairFilter(languages=frozenset({"en"})), ["What is it?"]),
        (PairFilter(documents=("power/*",)), ["第一个问题", "其他东西"]),
        (PairFilter(models=("Org/qw[q]",)), ["What is it?"]),
        (PairFilter(status="rejected"), ["被拒绝的"]),
        (PairFilter(status="all"), ["What is it?", "被拒绝的", "第一个问题", "其他东西"]),
    ):
        assert [item["question"] for item in written(layout, choice=Choice(only=asked))] == expected, asked
    item = written(layout, choice=Choice(only=PairFilter(status="rejected")))[0]
    assert (item["status"], item["reasons"]) == ("rejected", ["answer_score"])


@pytest.mark.parametrize("asked", [DEFAULT, "factual=1,open=2"])
async def test_balance_is_exact_and_chooses_the_same_each_time(tmp_path, asked):
    document, types = make_document("a.md"), ("factual", "comparative", "reasoning", "open")
    counts = {"factual": 40, "comparative": 9, "reasoning": 44, "open": 17}
    pairs = [a_pair(f"{kind} question {n}", kind=kind) for kind in types for n in range(counts[kind])]
    layout = await laid_out(tmp_path, *(a_result(document, i, [pair]) for i, pair in enumerate(pairs)))
    choice = Choice(proportions=parse_proportions(asked))
    items = written(layout, choice=choice)
    found = Counter(item["type"] for item in items)
    for kind, share in choice.proportions.items():
        assert abs(found[kind] - share * len(items)) < 1
    assert len(items) >= {DEFAULT: 60, "factual=1,open=2": 25}[asked]
    assert written(layout, choice=choice) == items
    assert written(layout, choice=Choice(proportions=choice.proportions, seed=1)) != items


async def test_balance_holds_on_either_side(tmp_path):
    """Where what sides share is by text, and one text has pairs of one type only."""
    types, documents = ("factual", "open"), [make_document(f"{n}.md") for n in range(40)]
    results = [
        a_result(document, 0, [a_pair(f"{types[n % 2]} question {n} {m}", kind=types[n % 2]) for m in range(3)])
        for n, document in enumerate(documents)
    ]
    layout = await laid_out(tmp_path, *results)
    choice = Choice(proportions=parse_proportions("factual=1,open=2"), validation=0.2)
    sides = [written(layout, choice=choice, file=side) for side in ("train", "validation")]
    for items in sides:
        found = Counter(item["type"] for item in items)
        assert abs(found["factual"] - len(items) / 3) < 1
        assert found["open"]
    assert len(sides[1]) <= 0.2 * (len(sides[0]) + len(sides[1]))


async def test_what_a_killed_export_has_left_is_cleared_and_nothing_else(layout):
    """One that still runs holds a lock on what it makes."""
    parent = layout.exports
    for name in (".jsonl.killed", ".jsonl.running", ".jsonl.notes", ".other.killed"):
        (parent / name / "new").mkdir(parents=True)
    (parent / ".jsonl.killed/pairs.sqlite-journal").touch()
    (parent / ".jsonl.notes/mine.txt").touch()
    running = os.open(parent / ".jsonl.running", os.O_RDONLY)
    fcntl.flock(running, fcntl.LOCK_EX)
    assert written(layout)
    os.close(running)
    assert sorted(path.name for path in parent.iterdir()) == [
        ".jsonl.notes",
        ".jsonl.running",
        ".other.killed",
        "jsonl",
    ]
    assert written(layout)
    assert not (parent / ".jsonl.running").exists()


async def test_equal_texts_and_questions_that_are_alike_are_there_once(tmp_path):
    a, b = make_document("a.md"), make_document("b.md")
    text = "一段相同的文字，出现在两个文件里。"
    layout = await laid_out(
        tmp_path,
        a_result(a, 0, [a_pair("第一个问题是什么"), a_pair("完全不同的内容在哪里")], text=text),
        a_result(b, 0, [a_pair("谁也没有问过的一个问题")], text=text),
        a_result(b, 1, [a_pair("第一个问题是什么？"), a_pair("第一个问题是什么 3 V"), a_pair("第一个问题是什么 5 V")]),
    )
    exported = export(layout, "jsonl", layout.exports / "jsonl", choice=Choice())
    assert [item["question"] for item in items_in(layout.exports / "jsonl/train.jsonl")] == [
        "第一个问题是什么", "完全不同的内容在哪里", "第一个问题是什么 3 V", "第一个问题是什么 5 V",
    ]  # fmt: skip
    assert (exported.account.equal_texts, exported.account.similar_questions) == (1, 1)
    assert len(written(layout)) == 6


async def test_no_text_is_on_both_sides(tmp_path):
    """Copies, near copies with a word changed, and overlapping chunks; the share is not exceeded."""
    documents = [make_document(f"d{n}.md") for n in range(30)]
    results = []
    for n, document in enumerate(documents):
        words = " ".join(f"word{n // 2}x{i}" for i in range(60))
        text = words if n % 2 else words.replace("x7 ", "x7 changed ")
        results.append(a_result(document, 0, [a_pair(f"q{n} one"), a_pair(f"q{n} two")], text=text))
        shared = f"overlap {n} " * 5
        results.append(a_result(document, 1, [a_pair(f"q{n} three")], text=f"{n} begins {shared}", start=10_000))
        results.append(a_result(document, 2, [a_pair(f"q{n} four")], text=f"{shared} {n} ends", start=10_020))
    layout = await laid_out(tmp_path, *results)
    choice = Choice(keep_duplicates=True, validation=0.25, text=True)
    train = written(layout, choice=choice)
    validation = items_in(layout.exports / "jsonl/validation.jsonl")
    assert len(train) + len(validation) == 120
    assert 25 <= len(validation) <= 30
    clusters = [
        {(int(i["document"][1:-3]) // 2, "copy") if i["chunk_index"] == 0 else (i["document"], "overlap") for i in side}
        for side in (train, validation)
    ]
    assert not clusters[0] & clusters[1]
    other = Choice(keep_duplicates=True, validation=0.25, text=True, seed=1)
    assert written(layout, choice=other) != train


@pytest.mark.parametrize("changed", [(0, 12, 6), (0, 3, 10)], ids=["between them", "of a near copy"])
async def test_a_text_that_is_like_two_keeps_both_on_its_side(tmp_path, changed):
    """Of each three, one is like the others, which are not alike."""
    choice, results = Choice(keep_duplicates=True, validation=0.25, text=True), []
    for n in range(12):
        words = " ".join(hash_word(str(n), i) for i in range(8)).split()
        texts = [" ".join(["other"] * count + words[count:]) for count in changed]
        sets = [shingles(fold(text)) for text in texts]
        assert sum(jaccard(one, other) >= choice.similarity for one, other in combinations(sets, 2)) == 2
        results += [
            a_result(make_document(f"{n}/{k}.md"), 0, [a_pair(f"q{n} {k}")], text=text) for k, text in enumerate(texts)
        ]
    layout = await laid_out(tmp_path, *results)
    sides = [
        {item["document"].partition("/")[0] for item in written(layout, choice=choice, file=side)}
        for side in ("train", "validation")
    ]
    assert len(sides[0] | sides[1]) == 12
    assert sides[1]
    assert not sides[0] & sides[1]


@pytest.mark.parametrize("name", ["jsonl", "parquet", "alpaca", "sharegpt", "openai"])
async def test_reasoning_is_thought_dropped_or_a_field(tmp_path, name):
    document = make_document("a.md")
    layout = await laid_out(tmp_path, a_result(document, 0, [a_pair("问题"), a_pair("别的", reasoning="")]))

    def last(item: dict) -> str:
        turns = item.get("conversations") or item.get("messages")
        return (turns[-1].get("value") or turns[-1].get("content")) if turns else item.get("output", item.get("answer"))

    thought = written(layout, name, reasoning="think")
    assert [last(item) for item in thought] == ["<think>\n因为书上这样写。\n</think>\n\n五伏。", "五伏。"]
    assert "reasoning" not in thought[0]
    dropped = written(layout, name, reasoning="drop")
    assert (last(dropped[0]), "reasoning" in dropped[0]) == ("五伏。", False)
    if name != "openai":
        assert written(layout, name, reasoning="field")[0]["reasoning"] == "因为书上这样写。"
    finished = commanded("--output-dir", str(layout.root), "--format", name, "--reasoning", "field")
    assert finished.returncode == (2 if name == "openai" else 0), finished.stderr


async def test_preferences_are_kept_against_rejected_answers_to_one_question(tmp_path):
    a, b = make_document("a.md"), make_document("b.md")
    text = "equal in both"
    layout = await laid_out(
        tmp_path,
        a_result(
            a, 0, [a_pair("How?", "So."), a_pair("别的是什么", "无")],
            [a_pair("how?", "Wrong."), a_pair("How?", "so."), a_pair("other", "x"), a_pair("How?", "")], text=text,
        ),
        a_result(b, 0, [], [a_pair("How?", "Worse."), a_pair("How?", "Wrong.")], text=text),
        a_result(b, 1, [], [a_pair("别的是什么", "another text")]),
    )  # fmt: skip
    choice = Choice(preferences=True)
    found = written(layout, choice=choice, file="preferences-train")
    assert [(each["prompt"], each["chosen"], each["rejected"]) for each in found] == [
        ("How?", "So.", "Wrong."), ("How?", "So.", "Worse."),
    ]  # fmt: skip
    assert written(layout, "openai", choice, file="preferences-train")[0] == {
        "input": {"messages": [{"role": "user", "content": "How?"}]},
        "preferred_output": [{"role": "assistant", "content": "So."}],
        "non_preferred_output": [{"role": "assistant", "content": "Wrong."}],
    }
    assert written(layout, "sharegpt", choice, file="preferences-train")[0]["rejected"]["value"] == "Wrong."
    assert written(layout, "alpaca", choice, file="preferences-train")[0]["chosen"] == "So."


async def test_the_source_text_is_there_when_it_is_asked_for(tmp_path):
    layout = await laid_out(tmp_path, a_result(make_document("a.md"), 0, [a_pair("问题")], text="原文。"))
    choice = Choice(text=True)
    assert written(layout, choice=choice)[0]["text"] == "原文。"
    assert written(layout, "alpaca", choice)[0]["input"] == "原文。"
    assert written(layout, "openai", choice)[0]["messages"][0]["content"] == "原文。\n\n问题"
    assert "text" not in written(layout)[0]


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
    lines = finished.stdout.splitlines()
    assert (finished.returncode, lines) == (
        0, [f"1 pairs -> {layout.root}/exports/alpaca/train.json", "  4 left out: of a text that is there already"],
    ), finished.stderr  # fmt: skip
    finished = commanded(
        "--output-dir", str(layout.root), "--format", "jsonl", "--out", str(layout.root / "x/y"), "--keep-duplicates",
        "--balance", "--validation", "0.5", "--preferences", "--min-score", "answer=3", "--type", "open, factual",
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert (layout.root / "x/y/train.jsonl").read_bytes() == b""
    assert "no pairs of type factual, comparative, reasoning, open" in finished.stderr
    assert "no validation part" in finished.stderr
    assert "no preferences" in finished.stderr


async def test_what_can_not_be_done_is_said_in_a_line(layout, tmp_path):
    output = str(layout.root)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/README.md").write_text("mine")
    for arguments, code, said in (
        (["--output-dir", str(tmp_path / "none"), "--format", "jsonl"], 1, "no such directory"),
        (["--output-dir", str(tmp_path), "--format", "jsonl"], 1, "no sink has written here"),
        (["--format", "jsonl"], 2, "--output-dir"),
        (["--output-dir", output, "--format", "jsonl", "--out", "/proc/x"], 1, "can't be written"),
        (["--output-dir", output, "--format", "jsonl", "--out", str(tmp_path / "mine")], 1, "something else"),
        (["--output-dir", output, "--format", "jsonl", "--type", "easy"], 2, "--type easy: takes factual"),
        (["--output-dir", output, "--format", "jsonl", "--min-score", "x"], 2, "--min-score x"),
        (["--output-dir", output, "--format", "jsonl", "--balance", "x"], 2, "--balance x"),
        (["--output-dir", output, "--format", "jsonl", "--validation", "1"], 2, "--validation 1"),
        (["--output-dir", output, "--format", "jsonl", "--similarity", "0"], 2, "--similarity 0"),
    ):
        finished = commanded(*arguments)
        assert (finished.returncode, said in finished.stderr, "Traceback" in finished.stderr) == (code, True, False), (
            finished.stderr
        )
    assert tree(tmp_path / "mine") == {"README.md": b"mine"}
    assert not (tmp_path / "exports").exists()
    layout.index.write_bytes(b"garbage" * 500)
    with pytest.raises(DatasetError, match="--rebuild"):
        written(layout)
    layout.index.unlink()
    with pytest.raises(NothingThereError):
        written(layout)
    assert not list(layout.exports.glob(".*")) if layout.exports.exists() else True


async def test_parquet_without_pyarrow_is_refused_with_what_to_do(layout, tmp_path):
    """An interpreter that can't find it stands for one that has it not."""
    hiding = tmp_path / "site/sitecustomize.py"
    hiding.parent.mkdir()
    hiding.write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'pyarrow':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    for arguments in (
        ["export", "--output-dir", str(layout.root), "--format", "parquet"],
        ["sink", "--output-dir", str(layout.root), "--formats", "documents,parquet"],
    ):
        finished = subprocess.run(
            [sys.executable, "-m", "consumer", *arguments], capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(hiding.parent)},
        )  # fmt: skip
        assert (finished.returncode, "pip install pyarrow" in finished.stderr) == (2, True), finished.stderr
