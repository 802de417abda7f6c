from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from configs.settings import load_settings
from ledger.progress import Progress
from pipeline.progress.summary import read_results, sample, summary
from pipeline.run.plan import make_plan
from schemas import (
    ChunkRef,
    Document,
    Evidence,
    FileState,
    ModelRef,
    Origin,
    Pair,
    PairType,
    RecipeRef,
    Result,
    Status,
    encode,
)
from schemas.ids import chunk_id, content_key, digest, document_id, pair_id, record_id
from schemas.messages import now
from tests.ledger.test_progress import entry

NOTHING: Mapping[str, str] = MappingProxyType({})


def result(path: str, *, language: str = "en", question: str = "What is EUV?", evidence: bool = True) -> Result:
    document, text = document_id("s", path), "EUV is light."
    chunk = chunk_id(document, 1, 0)
    record = record_id(chunk, 0, 0)
    quotes = (Evidence(text=text, start=0, end=len(text)),) if evidence else ()
    pair = Pair(
        id=pair_id(record, 0),
        type=PairType.FACTUAL,
        question=question,
        answer="Light.",
        evidence=quotes,
        language=language,
    )
    return Result(
        record_id=record,
        status=Status.OK,
        document=Document(id=document, source="s", path=path, version=1),
        chunk=ChunkRef(id=chunk, index=0, start=0, end=len(text), text=text, content_key=content_key(text, ())),
        pairs=(pair,),
        recipe=RecipeRef(name="fast", hash=digest("recipe")),
        model=ModelRef(name="extractive"),
        origin=Origin(topic="qa.chunks", partition=0, offset=0),
        created_at=now(),
    )


def written(output: Path, *results: Result) -> None:
    (output / "results").mkdir(parents=True)
    (output / "results" / "qa.results-0-0-9.jsonl").write_bytes(b"".join(encode(r) + b"\n" for r in results))


def shown(output: Path, *newest: str, version: int = 1, undone: Mapping[str, str] = NOTHING, **flags: object) -> str:
    """`newest` are paths of documents whose newest version is `version`."""
    plan = make_plan(load_settings({"input_dir": "texts", "output_dir": str(output)} | flags))
    progress = Progress()
    for path in newest:
        progress.take_entry(entry(path, state=FileState.COMPLETE, version=version, chunks=1))
    return "\n".join(summary(plan, progress, undone=undone, report="out/report.html"))


def test_samples_are_of_different_documents_and_of_both_languages():
    found = sample([result("a"), result("a"), result("b"), result("c"), result("d", language="zh")])
    assert [r.document.path for r, _ in found] == ["a", "d", "b"]


def test_pairs_without_evidence_are_no_samples():
    assert sample([result("a", evidence=False)]) == []


def test_results_are_read_from_disk(tmp_path: Path):
    written(tmp_path, result("a"))
    assert [r.document.path for r in read_results(tmp_path)] == ["a"]


def test_it_shows_pairs_with_evidence_and_where_results_are(tmp_path: Path):
    written(tmp_path, result("a.txt"))
    text = shown(tmp_path, "a.txt")
    assert "Q: What is EUV?" in text
    assert "Evidence, characters 0–13: EUV is light." in text
    assert str(tmp_path / "documents") in text


def test_it_says_where_the_report_is(tmp_path: Path):
    assert "Report:    out/report.html" in shown(tmp_path)


def test_it_says_how_to_read_the_topic_after_the_broker_is_gone(tmp_path: Path):
    text = shown(tmp_path)
    assert f" -m server broker --data-dir {tmp_path}/.qastream/broker --port 9092" in text
    assert "kcat -C -e -b localhost:9092 -t qa.results" in text


def test_a_broker_of_the_user_is_read_where_it_is(tmp_path: Path):
    text = shown(tmp_path, bootstrap_servers="kafka:9092", namespace="lab")
    assert "server broker" not in text
    assert "-b kafka:9092 -t lab.results" in text


def test_what_was_left_undone_is_named_with_its_reason(tmp_path: Path):
    text = shown(tmp_path, undone={f"{n:02}.log": "still being written" for n in range(12)})
    assert "(12):\n    00.log: still being written\n    01.log" in text
    assert "    … and 2 more" in text
    assert "\x1b" not in shown(tmp_path, undone={"\x1b[2J": "Permission denied"})


def test_text_of_documents_can_not_drive_the_terminal(tmp_path: Path):
    written(tmp_path, result("a\x1b[2J.txt", question="\x1b]0;x\x07?"))
    text = shown(tmp_path, "a\x1b[2J.txt")
    assert "]0;x" in text
    assert "\x1b" not in text


def test_older_versions_and_what_was_forgotten_are_not_shown(tmp_path: Path):
    written(tmp_path, result("edited.txt"), result("forgotten.txt"))
    assert "Q: " not in shown(tmp_path, "edited.txt", version=2)


def test_what_another_model_has_answered_before_is_said(tmp_path: Path):
    written(tmp_path, result("a.txt"))
    assert "answered by extractive before and are not asked again. For answers of qwen-vllm" in shown(
        tmp_path, "a.txt", model_urls="http://gpu:8000/v1"
    )
    assert "answered by" not in shown(tmp_path, "a.txt")


def test_an_empty_directory_is_said_to_be_one(tmp_path: Path):
    assert "No file in texts: hidden files" in shown(tmp_path)
    assert "No file in" not in shown(tmp_path, "a.txt")
