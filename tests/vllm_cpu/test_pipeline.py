"""Each recipe from files to an export, on a real Kafka and a real vLLM; what random weights say is nonsense.

Recipes are copied and edited, as users do it: bounds that random weights reach within a moment, thresholds that random
marks pass now and then, and none of the checks that no random answer would pass.
"""

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from configs.recipe import FOLDER
from consumer.__main__ import main as consumer
from schemas import Result, Status, decode
from tests.support.pipeline import documents, pipeline, records
from tests.support.recording import Exchange, recording
from tests.vllm_cpu.server import RunningVllm

STAGES = {
    "fast": {"pairs"},
    "standard": {"questions", "answer", "marks"},
    "semiconductor": {"questions", "answer", "marks", "many_marks", "second_answer", "rewriting"},
}
THRESHOLDS = {"standard": 0.2, "semiconductor": 0.5}
"""Of random marks most pass the first; with the second, some answers are written anew."""
EDITED = """
[plan]
pairs = 6
most = 6
proportions = { factual = 15, comparative = 15, reasoning = 50, open = 20 }

[limits]
question_characters = 20
answer_characters = 20
reasoning_characters = 20
quotes = 1
quote_characters = 20
comment_characters = 20
keep_cut = true

[checks]
evidence = false
numbers = false
polarity = false
overlap = false
self_contained = false
copies = false
language = false
duplicates = false
question_least = 1
"""
TEXTS = {
    "光刻.txt": "光刻是一种把掩模版上的图形转移到晶圆上的工艺。曝光波长越短，可分辨的线宽越小。",
    "刻蚀.md": "# 刻蚀\n\n干法刻蚀的各向异性优于湿法，因为离子沿电场方向轰击表面。",
    "laser.md": "# Lasers\n\nAn excimer laser emits at 193 nm. Shorter wavelengths resolve finer lines.",
    **{f"deep/{n}.txt": f"Dry oxidation of lot {n} is slower than wet oxidation." for n in range(28)},
}
"""Enough: of a text in two random weights ask nothing."""
TOO_LONG = "半导体" * 40_000
"""More tokens than the server's context has."""

pytestmark = pytest.mark.timeout(420)


def edited(name: str, folder: Path) -> Path:
    text = (FOLDER / "recipes" / f"{name}.toml").read_text()
    text = re.sub(r"(?ms)^\[(plan|limits|checks)\].*?(?=^\[|\Z)", "", text)
    text = re.sub(r"(?m)^temperature = .*$", "", text)
    gates, judged = re.split(r"(?m)^(?=\[judge\])|\Z", text, maxsplit=1)
    gates = re.sub(r"(?m)^(threshold|least) = [\d.]+", r"\1 = 0.0", gates)
    judged = re.sub(r"(?m)^threshold = [\d.]+", f"threshold = {THRESHOLDS.get(name)}", judged)
    judged = re.sub(r"(?m)^(least|worth) = [\d.]+", r"\1 = 0.0", judged)
    recipe = folder / f"{name}-small.toml"
    recipe.write_text(f"{gates}{judged}{EDITED}")
    return recipe


def put(texts: dict[str, str], folder: Path) -> Path:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def balanced(result: Result) -> bool:
    """Asked = kept + rejected, by type; of a failed chunk nothing counts as asked."""
    if result.status is Status.FAILED:
        return not (result.asked or result.pairs or result.rejected) and result.error is not None
    return result.asked == dict(
        Counter(pair.type for pair in result.pairs) + Counter(each.pair.type for each in result.rejected)
    )


def check_schema(exchange: Exchange) -> None:
    Draft202012Validator(exchange.schema).validate(orjson.loads(exchange.content))


def exported(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(("name", "failing", "code"), [("fast", 0, 0), ("standard", 0, 0), ("semiconductor", 1, 3)])
async def test_files_become_an_export(
    vllm_cpu: RunningVllm, make_settings, tmp_path: Path, name: str, failing: int, code: int
):
    settings, output = make_settings(), tmp_path / "out"
    texts = put(TEXTS | dict.fromkeys(["long.txt"][:failing], TOO_LONG), tmp_path / "texts")
    kafka = ["--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace]
    async with recording(vllm_cpu.base_url) as recorder:
        options = [
            *kafka,
            "--model-urls",
            recorder.url,
            "--recipe",
            edited(name, tmp_path),
            "--chunk-size",
            200_000,
            "--temperature",
            2,
        ]
        with pipeline(texts, output, "--once", *options) as running:
            ended = await asyncio.to_thread(running.end, within_s=150)
    results = [decode(Result, line) for line in records(output).values()]
    said = f"{running.said}\n{running.logs}"

    assert ended == code, said
    assert len(results) == len(TEXTS) + failing, said
    assert [result.error.error_class for result in results if result.error] == ["refused"] * failing, said
    assert all(map(balanced, results))
    assert {result.recipe.name for result in results} == {name}

    finished = [exchange for exchange in recorder.exchanges if exchange.finished]
    for exchange in finished:
        check_schema(exchange)
    assert {exchange.stage for exchange in finished} == STAGES[name]
    answered = [result for result in results if result.status is not Status.FAILED]
    assert sum(result.usage.calls for result in answered) == len(recorder.exchanges) - failing

    kept = [pair for result in results for pair in result.pairs]
    why = Counter(reason.check for result in results for each in result.rejected for reason in each.reasons)
    report = json.loads((output / "report.json").read_text())
    assert report["pairs"]["kept"] == len(kept) > 0, why
    assert report["pairs"]["asked"] == sum(sum(result.asked.values()) for result in results)
    assert report["chunks"]["failed"] == failing
    assert (output / "report.html").exists()
    assert len(documents(output)) == len(results)

    disk = ["--output-dir", str(output)]
    assert await asyncio.to_thread(consumer, ["verify", *disk, *kafka, "--input-dir", str(texts)]) == code
    await asyncio.to_thread(consumer, ["export", *disk, "--format", "jsonl", "--keep-duplicates"])
    assert {pair["question"] for pair in exported(output / "exports" / "jsonl")} == {pair.question for pair in kept}
