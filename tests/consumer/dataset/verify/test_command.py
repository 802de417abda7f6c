"""The balance sheet against planted differences, on a real broker."""

import asyncio
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from chaos.waiting import eventually
from configs.settings import Settings
from consumer.dataset.verify.verification import verify
from output.errors import OutputMismatchError
from output.layout import Layout
from output.segments.naming import list_segments
from schemas import FileState, ReplayMarker, Status, encode
from schemas.messages import now
from tests.support.outcomes import (
    make_chunk_of,
    make_document,
    make_entry,
    make_letter,
    make_result,
    publish,
    running_sink,
)

A, B = make_document("a.md"), make_document("sub/b\\x0a.md")
RESULTS = [make_result(A, 0), make_result(A, 1, status=Status.EMPTY), make_result(B, 0, rejected=1)]


def run(settings: Settings, output: Path, *arguments: str) -> tuple[int, dict]:
    finished = subprocess.run(
        [sys.executable, "-m", "consumer", "verify", "--output-dir", str(output), "--bootstrap-servers", settings.kafka.brokers,
         "--namespace", settings.kafka.namespace, "--json", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in finished.stderr
    return finished.returncode, orjson.loads(finished.stdout) if finished.stdout else {"error": finished.stderr}


def balance(settings: Settings, output: Path) -> dict:
    return asyncio.run(verify(settings.kafka, settings.producer, Layout(output), settings.sink.formats)).as_json()


def whats(balance: dict) -> list[str]:
    return [difference["what"] for difference in balance["differences"]]


@pytest.fixture
def sunk(make_settings, tmp_path):
    """A broker's topics and an output directory that agree."""
    settings, output = make_settings(), tmp_path / "out"
    publish(settings, *map(make_chunk_of, RESULTS), *RESULTS, make_entry(A, 2), make_entry(B, 1))
    sink_to_end(settings, output, documents=2, records=3)
    return settings, output


def sink_to_end(settings: Settings, output: Path, **expected: int) -> None:
    with running_sink(settings, output) as sink:
        eventually(lambda: expected.items() <= sink.status().items(), what=lambda: (sink.status(), sink.lines()))
        assert sink.stop() == 0


def test_what_agrees_balances(sunk):
    code, found = run(*sunk)
    assert (code, found["balanced"]) == (0, True)
    names = (
        "documents",
        "documents_complete",
        "chunks",
        "ok",
        "empty",
        "failed",
        "pairs",
        "records_on_topic",
        "records_on_disk",
    )
    assert [found[name] for name in names] == [2, 2, 3, 2, 1, 0, 4, 3, 3]
    assert not list(Layout(sunk[1]).home.glob("snapshot-*"))


def test_failed_chunks_wait_in_the_dead_letters_until_a_replay_is_marked(sunk):
    settings, output = sunk
    failed = make_result(A, 0, attempt=1, status=Status.FAILED)
    letter = make_letter(failed)
    publish(settings, make_chunk_of(failed), failed, letter)
    sink_to_end(settings, output, records=4)
    code, found = run(settings, output)
    assert (code, found["dead_letters"], found["failed"], found["ok"]) == (3, 1, 1, 1)
    marker = ReplayMarker(letter_id=letter.letter_id, attempt=2, created_at=now())
    publish(settings, (f"{settings.kafka.namespace}.dead-letters", encode(marker)))
    assert run(settings, output)[0] == 0


def test_lost_doubled_and_changed_records_are_found(sunk):
    settings, output = sunk
    segment = list_segments(output / "results")[0]
    path = output / "results" / segment.name
    lines = path.read_bytes().splitlines(keepends=True)

    def with_lines(*changed: bytes) -> dict:
        path.write_bytes(b"".join(changed))
        return balance(settings, output)

    assert whats(with_lines(*lines, lines[0])) == ["records are on disk more than once"]
    found = with_lines(lines[0].replace(b'"created_at":"2', b'"created_at":"1'), *lines[1:])
    assert "records differ between topic and disk" in whats(found)
    found = with_lines(*lines[1:])
    assert "records of the topic are not on disk" in whats(found)
    assert "chunks of complete documents have no outcome on disk" in whats(found)
    found = with_lines(*lines, b'{"record_id":"strange"}\n')
    assert whats(found) == ["records on disk are not on the topic"]
    assert found["differences"][0]["examples"] == ["strange"]
    assert whats(with_lines(*lines)) == []


def test_what_is_wrong_on_the_topics_is_found(sunk):
    settings, output = sunk
    publish(settings, RESULTS[0], make_chunk_of(RESULTS[0]), make_result(A, 7), make_chunk_of(make_result(A, 8)))
    sink_to_end(settings, output, records=5)
    assert whats(balance(settings, output)) == [
        "records are on the topic more than once",
        "records are on disk more than once",
        "chunks were published more than once",
        "chunks have no outcome on the topic",
        "outcomes on the topic have no chunk",
    ]


def test_document_files_are_held_to_the_segments(sunk):
    settings, output = sunk
    path = output / "documents/a.md.json"
    content = path.read_bytes()
    for wrong in (content[:-1], content + b"x", content.replace("五伏。".encode(), "六伏。".encode()), b""):
        path.write_bytes(wrong)
        assert whats(balance(settings, output)) == ["document files are missing, or not what the segments say"]
    path.unlink()
    assert balance(settings, output)["differences"][0]["examples"] == ["a.md"]


def test_files_of_a_forgotten_document_are_found_though_only_a_later_entry_tells(sunk):
    settings, output = sunk
    newer = make_document("a.md", version=2)
    publish(settings, make_entry(A, 2, state=FileState.FORGOTTEN), make_entry(newer, 0, state=FileState.REJECTED))
    found = balance(settings, output)
    assert [(d["what"], d["examples"]) for d in found["differences"]] == [
        ("documents are forgotten, but their files are still there", ["a.md"])
    ]
    sink_to_end(settings, output, documents=1)
    assert whats(balance(settings, output)) == []


def test_input_files_are_held_to_the_ledger(make_settings, tmp_path):
    settings, output, texts = make_settings(), tmp_path / "out", tmp_path / "texts"
    (texts / "sub").mkdir(parents=True)
    names = {A: b"a text", B: b"b text"}
    (texts / "a.md").write_bytes(names[A])
    (texts / "sub/b\n.md").write_bytes(names[B])
    gone = make_document("gone.md")
    publish(settings, *(make_entry(document, 0, content=content) for document, content in names.items()))
    publish(settings, make_entry(gone, 0, state=FileState.VANISHED))
    sink_to_end(settings, output, documents=2)
    code, found = run(settings, output, "--input-dir", str(texts))
    assert (code, found["files_not_in_ledger"]) == (0, 0)
    texts = texts.rename(tmp_path / "elsewhere")
    code, found = run(settings, output, "--input-dir", str(texts))
    assert (code, "only of texts. Name" in found["error"]) == (2, True)
    (texts / "a.md").write_bytes(b"changed")
    (texts / "sub/b\n.md").unlink()
    (texts / "new.md").write_text("new")
    code, found = run(settings, output, "--input-dir", str(texts), "--source", "texts")
    assert (code, found["files_not_in_ledger"]) == (1, 1)
    assert [(d["what"], d["examples"]) for d in found["differences"]] == [
        ("files of the ledger are not in --input-dir", ["sub/b\\x0a.md"]),
        ("files of --input-dir have other content than the ledger says", ["a.md"]),
    ]
    assert sha256(b"a text").hexdigest() == make_entry(A, 0, content=b"a text").sha256


def test_what_can_not_be_verified_is_said(sunk, make_settings, tmp_path):
    settings, output = sunk
    assert run(settings, tmp_path / "none")[0] == 1
    assert "no sink has written here" in run(settings, tmp_path / "none")[1]["error"]
    assert run(make_settings(), output)[0] == 2
    assert run(settings, output, "--input-dir", str(tmp_path / "none"))[0] == 2
    other = tmp_path / "other"
    shutil.copytree(output, other)
    manifest = Layout(other).manifest
    manifest.write_bytes(manifest.read_bytes().replace(b'"cluster_id": "', b'"cluster_id": "not-'))
    with pytest.raises(OutputMismatchError, match="Kafka cluster"):
        balance(settings, other)


def test_a_table_for_people(sunk):
    settings, output = sunk
    (output / "documents/a.md.json").unlink()
    finished = subprocess.run(
        [sys.executable, "-m", "consumer", "verify", "--output-dir", str(output), "--bootstrap-servers", settings.kafka.brokers,
         "--namespace", settings.kafka.namespace],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 1
    assert "records on the topic" in finished.stdout
    assert "✗ 1 document files are missing" in finished.stdout
