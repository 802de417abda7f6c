"""What `make demo` does, on the sample texts: twice over one output directory."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import pytest

from configs.settings import load_settings
from messaging.reading import read_to_end
from server.broker.node import Broker
from tests.support.embedded import EmbeddedServer, embedded_server
from tests.support.pipeline import ROOT, documents, finished, records

TEXTS = ROOT / "data" / "texts"


@dataclass(frozen=True, slots=True)
class Demo:
    output_dir: Path
    model: EmbeddedServer
    said: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One run with a broker of its own; the model server is ours, for its count of requests."""
    folder = tmp_path_factory.mktemp("demo")
    with embedded_server(folder) as model:
        said = run(folder / "out", model)
        yield Demo(folder / "out", model, said)


def run(output_dir: Path, model: EmbeddedServer) -> str:
    flags = ["--model-urls", model.base_url, "--model-name", "extractive", "--recipe", "standard"]
    return finished(TEXTS, output_dir, *flags).said


def text_of(path: str) -> str:
    data = (TEXTS / path).read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030")
    return text.replace("\r\n", "\n")


def samples() -> set[str]:
    return {str(file.relative_to(TEXTS)) for file in TEXTS.rglob("*") if file.is_file()}


def pairs(demo: Demo) -> list[tuple[str, dict]]:
    return [(d["document"]["path"], pair) for d in documents(demo.output_dir).values() for pair in d["pairs"]]


def test_there_is_one_document_file_for_each_sample(demo: Demo):
    assert {d["document"]["path"] for d in documents(demo.output_dir).values()} == samples()
    assert len(samples()) >= 12


def test_there_are_at_least_sixty_pairs_in_both_languages(demo: Demo):
    found = pairs(demo)
    assert len(found) >= 60
    assert {pair["language"] for _, pair in found} == {"zh", "en"}


def test_every_evidence_is_verbatim(demo: Demo):
    for path, pair in pairs(demo):
        text = text_of(path)
        assert pair["evidence"]
        for evidence in pair["evidence"]:
            assert text[evidence["start"] : evidence["end"]] == evidence["text"]


def test_no_question_is_its_own_answer(demo: Demo):
    assert all(pair["question"].strip() != pair["answer"].strip() for _, pair in pairs(demo))


def results(demo: Demo) -> list[dict]:
    return [json.loads(line) for line in records(demo.output_dir).values()]


def test_no_request_is_made_twice(demo: Demo):
    """By the server's own count."""
    made = [request["key"] for request in demo.model.requests]
    assert len(set(made)) == len(made) == sum(result["usage"]["calls"] for result in results(demo))


def test_the_copy_costs_no_call(demo: Demo):
    """Chunks with the same text pay together for each request once: for questions, and two for each of them."""
    alike: dict[str, list[dict]] = {}
    for result in results(demo):
        alike.setdefault(result["chunk"]["content_key"], []).append(result)
    assert len(alike) < len(results(demo))
    for group in alike.values():
        assert sum(result["usage"]["calls"] for result in group) == 1 + 2 * sum(group[0]["asked"].values())
        assert len({tuple(pair["question"] for pair in result["pairs"]) for result in group}) == 1


def test_every_question_is_kept_or_rejected(demo: Demo):
    for result in results(demo):
        assert sum(result["asked"].values()) == len(result["pairs"]) + len(result["rejected"])
        assert all(count <= result["planned"][kind] for kind, count in result["asked"].items())


def test_scores_are_overlaps_and_pass(demo: Demo):
    assert all(pair["scores"]["answer"] >= 0.7 for _, pair in pairs(demo))


def test_the_last_lines_show_pairs_with_evidence_the_path_and_how_to_read_the_topic(demo: Demo):
    last = demo.said.splitlines()[-24:]
    assert sum(line.startswith("  Q: ") for line in last) == 3
    assert sum(line.startswith("  Evidence") for line in last) == 3
    assert any(str(demo.output_dir / "documents") in line for line in last)
    assert any("kcat -C" in line for line in last)


def test_it_ends_with_a_report_of_all_pairs_and_says_where(demo: Demo):
    assert f"Report:    {demo.output_dir / 'report.html'} " in demo.said
    numbers = json.loads((demo.output_dir / "report.json").read_bytes())
    assert numbers["pairs"]["kept"] == len(pairs(demo))
    assert numbers["documents"]["complete"] == len(samples())
    assert len(numbers["sample"]) == 20
    assert (demo.output_dir / "report.html").read_text().count("<mark>") >= 20


def test_topic_and_disk_hold_the_same_bytes(demo: Demo):
    with Broker(data_dir=demo.output_dir / ".qastream" / "broker") as broker:
        on_topic = asyncio.run(values(broker.bootstrap_servers))
    assert on_topic == records(demo.output_dir)


async def values(bootstrap_servers: str) -> dict[str, bytes]:
    settings = load_settings({"bootstrap_servers": bootstrap_servers})
    async with aclosing(read_to_end(settings.kafka, "qa.results")) as found:
        return {json.loads(record.value)["record_id"]: record.value async for record in found}


def test_a_second_run_calls_nobody_and_changes_nothing(demo: Demo):
    requests = len(demo.model.requests)
    before = tree(demo.output_dir)
    said = run(demo.output_dir, demo.model)
    assert len(demo.model.requests) == requests
    assert tree(demo.output_dir) == before
    assert "0 model calls in this run" in said


def tree(output_dir: Path) -> dict[str, bytes]:
    folders = [output_dir / "results", output_dir / "documents"]
    return {str(file): file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file()}
