"""What an edit of a text does to its pairs."""

from pathlib import Path

import pytest

from tests.support.embedded import EmbeddedServer
from tests.support.pipeline import documents, finished

PARAGRAPHS = [
    "Photolithography is a process that transfers a pattern from a mask to a wafer.",
    "A photoresist is a polymer that changes its solubility under light.",
    "An excimer laser is a light source that emits at 193 nm.",
]


def write(folder: Path, name: str, paragraphs: list[str]) -> None:
    (folder / name).write_text("\n\n".join(paragraphs) + "\n")


def test_a_text_without_a_paragraph_loses_its_pairs_and_no_others(
    tmp_path: Path, embedded_server: EmbeddedServer, make_settings
):
    texts, output, settings = tmp_path / "texts", tmp_path / "out", make_settings(partitions=1)
    texts.mkdir()
    write(texts, "whole.txt", PARAGRAPHS)
    write(texts, "rest.txt", PARAGRAPHS[:1] + PARAGRAPHS[2:])
    write(texts, "taken.txt", PARAGRAPHS[1:2])
    flags = ["--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace, "--partitions", 1]
    finished(texts, output, *flags, "--model-urls", embedded_server.base_url, "--no-cache")
    found = {d["document"]["path"]: {p["question"] for p in d["pairs"]} for d in documents(output).values()}
    assert found["taken.txt"]
    assert found["whole.txt"] - found["rest.txt"] == found["taken.txt"]
    assert found["rest.txt"] < found["whole.txt"]


@pytest.mark.timeout(300)
def test_an_edited_paragraph_of_two_hundred_chunks_costs_two_calls_at_most(
    tmp_path: Path, embedded_server: EmbeddedServer, make_settings
):
    """Counted at the model server, which answers one call a chunk."""
    texts, output, settings = tmp_path / "texts", tmp_path / "out", make_settings()
    texts.mkdir()
    paragraphs = [f"The tool T{n} is a stepper that exposes {n} wafers per hour at 193 nm." for n in range(700)]
    flags = [
        "--bootstrap-servers",
        settings.kafka.brokers,
        "--namespace",
        settings.kafka.namespace,
        "--chunk-size",
        300,
    ]
    flags += ["--model-urls", embedded_server.base_url, "--model-name", "extractive"]
    write(texts, "long.txt", paragraphs)
    finished(texts, output, *flags)
    chunks = len(embedded_server.requests)
    assert chunks >= 200
    paragraphs[350] = "A photoresist is a polymer that changes its solubility under light. It is spun onto the wafer."
    write(texts, "long.txt", paragraphs)
    finished(texts, output, *flags)
    assert 1 <= len(embedded_server.requests) - chunks <= 2
    (document,) = documents(output).values()
    assert document["document"]["version"] == 2
    assert any("photoresist" in pair["question"] for pair in document["pairs"])
