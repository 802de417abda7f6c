"""Each format, loaded with what its users load it with: Hugging Face `datasets`, and OpenAI's rules for its files."""

import os
import subprocess
import sys

import orjson
import pytest

from consumer.dataset.export.dataset import export
from consumer.dataset.export.formats import FORMATS
from consumer.dataset.export.gathering import Choice
from output.layout import Layout
from schemas import Evidence
from tests.support.outcomes import make_document, make_entry
from tests.support.outputs import Topics, live
from tests.support.pairs import a_pair, a_result

LOADER = """
import sys, json
from datasets import load_dataset
loaded = {}
for name in ("default", "preferences"):
    data = load_dataset(sys.argv[1], name)
    loaded[name] = {
        split: {"rows": rows.to_list(), "features": {k: repr(v) for k, v in rows.features.items()}}
        for split, rows in data.items()
    }
json.dump(loaded, sys.stdout)
"""


@pytest.fixture
async def layout(tmp_path):
    """Forty pairs with what loaders stumble over: fields that are empty at first, scores that only some have."""
    layout, topics, document = Layout(tmp_path / "out"), Topics(), make_document("章/第一.md")
    topics.entries = [make_entry(document, 40)]
    for index in range(40):
        late = index >= 30
        pair = a_pair(
            f"问题 {index}: what is “it”?\n第二行",
            f'答案 {index}\u2028\t\\ "quoted" 😀',
            kind=("factual", "comparative", "reasoning", "open")[index % 4],
            reasoning="因为" if late else "",
            scores={"answer": 4, "faithful": 0.5} if late else {},
            evidence=(Evidence(text="引文", start=1, end=3),) if late else (),
            language="zh" if late else "",
        )
        topics.put(a_result(document, index, [pair], [a_pair(pair.question, f"错误 {index}")]))
    await live(layout, topics, per_segment=20)
    return layout


def exported(layout: Layout, name: str):
    out = layout.exports / name
    return out, export(layout, name, out, choice=Choice(validation=0.2, preferences=True, text=True))


def loaded(folder, home) -> dict:
    """In a process of its own, which may not ask the network."""
    finished = subprocess.run(
        [sys.executable, "-c", LOADER, str(folder)], capture_output=True, text=True, check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(home)},
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    return orjson.loads(finished.stdout)


def rows_in(path) -> list[dict]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return pq.read_table(path).to_pylist()
    data = path.read_bytes()
    return orjson.loads(data) if path.suffix == ".json" else [orjson.loads(line) for line in data.split(b"\n") if line]


@pytest.mark.parametrize("name", FORMATS)
async def test_datasets_loads_every_item_of_every_part_as_it_is(layout, tmp_path, name):
    out, made = exported(layout, name)
    found = loaded(out, tmp_path / "hf")
    for part in made.parts:
        assert {split: len(data["rows"]) for split, data in found[part.name].items()} == part.counts
        for split, file in part.files.items():
            data = found[part.name][split]
            assert data["rows"] == rows_in(out / file)
            assert list(data["features"]) == list(part.features)
    assert made.parts[0].counts == {"train": 32, "validation": 8}
    assert sum(made.parts[1].counts.values()) == 40


async def test_the_features_are_those_of_the_card_and_not_guessed(layout, tmp_path):
    found = {name: loaded(exported(layout, name)[0], tmp_path / "hf") for name in ("jsonl", "parquet")}
    features = found["jsonl"]["default"]["train"]["features"]
    assert features == found["parquet"]["default"]["train"]["features"]
    assert features["scores"] == "{'answer': Value('float64'), 'faithful': Value('float64')}"
    assert "'start': Value('int64')" in features["evidence"]
    assert features["reasoning"] == "Value('string')"


ROLES = {"system", "user", "assistant"}


def check_messages(messages: list[dict]) -> None:
    """As OpenAI's guide to supervised fine-tuning has them: roles, texts, no other keys, an assistant at the end."""
    assert messages
    assert messages[-1]["role"] == "assistant"
    assert any(message["role"] == "user" for message in messages)
    for message in messages:
        assert set(message) == {"role", "content"}
        assert message["role"] in ROLES
        assert isinstance(message["content"], str)
        assert message["content"].strip()


async def test_openai_files_follow_the_rules_for_fine_tuning(layout):
    """One JSON object a line, at least 10 of them, UTF-8 without mark; `messages` is all that an example has."""
    out, _ = exported(layout, "openai")
    data = (out / "train.jsonl").read_bytes()
    assert not data.startswith(b"\xef\xbb\xbf")
    lines = data.decode("utf-8").rstrip("\n").split("\n")
    assert len(lines) >= 10
    for line in lines:
        example = orjson.loads(line)
        assert set(example) == {"messages"}
        check_messages(example["messages"])


async def test_openai_preferences_follow_the_rules_for_direct_preference_optimization(layout):
    """`input` ends with the user; both outputs are one assistant message, and they differ."""
    out, _ = exported(layout, "openai")
    for line in (out / "preferences-train.jsonl").read_text("utf-8").rstrip("\n").split("\n"):
        example = orjson.loads(line)
        assert set(example) == {"input", "preferred_output", "non_preferred_output"}
        assert set(example["input"]) == {"messages"}
        for output in ("preferred_output", "non_preferred_output"):
            assert [message["role"] for message in example[output]] == ["assistant"]
            check_messages(example["input"]["messages"] + example[output])
        assert example["preferred_output"] != example["non_preferred_output"]
