"""What an edit of a text does to its pairs."""

from pathlib import Path

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
    flags = ["--bootstrap-servers", settings.brokers, "--namespace", settings.namespace, "--partitions", 1]
    finished(texts, output, *flags, "--model-urls", embedded_server.base_url, "--no-cache")
    found = {d["document"]["path"]: {p["question"] for p in d["pairs"]} for d in documents(output).values()}
    assert found["taken.txt"]
    assert found["whole.txt"] - found["rest.txt"] == found["taken.txt"]
    assert found["rest.txt"] < found["whole.txt"]
