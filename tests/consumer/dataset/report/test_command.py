"""The report's numbers and page, from what a sink wrote."""

import subprocess
import sys

import orjson
import pytest

from configs.errors import SettingsError
from consumer.__main__ import main
from consumer.dataset.errors import DatasetError
from consumer.dataset.report.gathering import gather
from consumer.dataset.report.page import render
from consumer.dataset.report.tally import Prices, ReportTally
from output.layout import Layout
from schemas import FileState, Reason, Status
from schemas.messages import Timing, Usage
from tests.support.outcomes import make_complete, make_document, make_entry, make_result
from tests.support.outputs import Topics, live
from tests.support.pairs import a_pair, a_result

SCRIPT = "<script>alert(1)</script>"


def reported(*arguments: object) -> int:
    return main(["report", *map(str, arguments)])


@pytest.fixture
async def layout(tmp_path):
    """a.md in version 2 with all outcomes; b.md with a failed chunk; c.md waiting, d.md being read, e.md rejected."""
    layout, topics = Layout(tmp_path / "out"), Topics()
    a, b, c = make_document("a.md", version=2), make_document(f"b{SCRIPT}.md"), make_document("c.md")
    topics.entries = [
        make_entry(a, 2, complete=make_complete(2, 2)),
        make_entry(b, 2),
        make_entry(c, 3),
        make_entry(make_document("d.md"), 1, state=FileState.PUBLISHING),
        make_entry(make_document("e.md"), 0, state=FileState.REJECTED).model_copy(update={"reason": f"why {SCRIPT}"}),
    ]
    asked = a_result(
        a, 0,
        [a_pair("电压？", scores={"answer": 0.9}), a_pair("Why?", kind="open", language="en", scores={"answer": 0.8})],
        [a_pair("So?", kind="open", language="en", scores={"answer": 0.25})],
    )  # fmt: skip
    cost = Usage(calls=3, cached_calls=1, prompt_tokens=900, cached_prompt_tokens=300, completion_tokens=100)
    topics.put(make_result(make_document("a.md"), 0, pairs=9))
    topics.put(asked.model_copy(update={"usage": cost, "timing": Timing(total_ms=2500, model_ms=2000)}))
    topics.put(make_result(a, 1, status=Status.EMPTY), make_result(b, 0, status=Status.FAILED))
    topics.put(a_result(b, 1, [a_pair(f"What is {SCRIPT}?", answer=SCRIPT)], text=f"Here: {SCRIPT}"))
    topics.put(make_result(c, 0))
    await live(layout, topics)
    return layout


async def test_numbers_are_of_the_newest_complete_versions(layout):
    report = gather(layout)
    assert (report.documents.complete, report.documents.with_failed_chunks) == (2, 1)
    assert (report.documents.waiting, report.documents.reading, report.documents.rejected) == (1, 1, 1)
    assert {(each.document, each.state, each.answered, each.chunks) for each in report.documents.unfinished} == {
        ("c.md", "waiting", 1, 3), ("d.md", "reading", 0, 1), ("e.md", "rejected", 0, 0),
    }  # fmt: skip
    chunks = report.chunks
    assert (chunks.total, chunks.ok, chunks.empty, chunks.failed, chunks.errors) == (4, 2, 1, 1, {"malformed": 1})
    assert [(each.document, each.index) for each in chunks.failures] == [(f"b{SCRIPT}.md", 0)]
    assert (report.pairs.asked, report.pairs.kept, report.pairs.rejected) == (4, 3, 1)
    assert [(g.name, g.asked, g.kept, g.rejected) for g in report.types] == [("factual", 2, 2, 0), ("open", 2, 1, 1)]
    assert [(g.name, g.kept) for g in report.languages] == [("en", 1), ("zh", 2)]
    assert report.rejections == {"answer_score": 1}


async def test_scores_lengths_tokens_and_times(layout):
    report = gather(layout, prices=Prices(prompt=10, completion=100))
    assert (report.scores["answer"].least, report.scores["answer"].most, report.scores["answer"].count) == (
        0.25,
        0.9,
        3,
    )
    assert (report.lengths["question"].count, report.lengths["question"].least) == (3, 3)
    assert report.lengths["chunk"].count == 4
    usage = report.usage
    assert (usage.calls, usage.cached_calls, usage.prompt_tokens, usage.completion_tokens) == (3, 1, 900, 100)
    assert usage.per_pair == pytest.approx(1000 / 3, abs=1e-3)
    assert (usage.cost.total, usage.cost.per_pair) == (0.019, pytest.approx(0.019 / 3, abs=1e-6))
    slowest = report.slowest[0]
    assert (slowest.document, slowest.seconds, slowest.model_seconds) == ("a.md", 2.5, 2.0)
    made = [(each.kind, each.name, each.detail, each.chunks, each.pairs) for each in report.made_with]
    assert made[:2] == [("model", "qwen-vllm", "Org/qwen-vllm", 2, 3), ("model", "qwen-vllm", "tiny", 2, 0)]
    assert [each[:2] + each[3:] for each in made[2:]] == [("recipe", "fast", 4, 3)]


def test_plans_skipped_texts_judges_and_scores_of_texts_where_results_have_them():
    result = orjson.loads(make_result(make_document("a.md"), status=Status.EMPTY).model_dump_json(by_alias=True))
    result |= {
        "planned": {"open": 3}, "skipped": {"check": "text_gate", "detail": ""}, "text_scores": {"depth": 0.5},
        "judge": {"name": "judge", "root": "Org/judge", "endpoint": ""},
    }  # fmt: skip
    tally = ReportTally()
    tally.take(result)
    assert tally.plan_is_known
    assert tally.types.all().planned == 3
    assert tally.chunks().skipped == {"text_gate": 1}
    assert list(tally.scores()) == ["text depth"]
    assert [each.kind for each in tally.made_with()] == ["model", "judge", "recipe"]


async def test_the_page_has_the_same_numbers_as_the_json(layout, capsys):
    assert reported("--output-dir", layout.root, "--price-prompt", 1, "--price-completion", 2) == 0
    assert "3 pairs kept of 4, of 2 documents" in capsys.readouterr().out
    numbers = orjson.loads((layout.root / "report.json").read_bytes())
    page = (layout.root / "report.html").read_text()
    assert numbers["schema"] == "qastream.report/1"
    assert numbers["pairs"]["kept"] == 3
    assert "<dd>3<small>of 4 asked, 75.0\N{NO-BREAK SPACE}%</small></dd>" in page
    assert f"{numbers['usage']['cost']['total']:g} in total" in page
    assert len(numbers["sample"]) == page.count("<article>") == 3


async def test_hostile_texts_are_text(layout):
    page = render(gather(layout))
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5  # path, reason, question, answer, chunk
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page


async def test_the_same_data_give_the_same_page(layout):
    first, again = gather(layout), gather(layout)
    assert render(first).replace(first.made_at[:16].replace("T", " "), "") == render(again).replace(
        again.made_at[:16].replace("T", " "), ""
    )


async def test_an_empty_output_has_a_page_that_says_so(tmp_path):
    layout = Layout(tmp_path / "out")
    await live(layout, Topics())
    page = render(gather(layout))
    assert "There are no pairs." in page
    assert "<figure>" not in page


async def test_where_it_is_written(layout, tmp_path):
    assert reported("--output-dir", layout.root, "--to", tmp_path / "x/page.html") == 0
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == ["page.html", "page.json"]
    assert reported("--output-dir", layout.root, "--format", "json") == 0
    assert not (layout.root / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--price-prompt", "1"], "--price-completion is missing"),
        (["--price-prompt", "-1", "--price-completion", "1"], "--price-prompt -1: takes 0 or more"),
        (["--to", "x.json"], "--to x.json: is the page"),
    ],
)
def test_wrong_usage_is_refused_in_a_line(tmp_path, arguments, said):
    with pytest.raises(SettingsError, match=said):
        reported("--output-dir", tmp_path, *arguments)


def test_where_no_sink_has_written_it_says_so(tmp_path):
    command = [sys.executable, "-m", "consumer", "report", "--output-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no sink has written here" in done.stderr


async def test_a_place_that_can_not_be_written_to_is_named(layout):
    place = layout.index / "report.html"
    with pytest.raises(DatasetError, match=f"{place} can't be written: "):
        reported("--output-dir", layout.root, "--to", place)


async def test_a_reason_may_have_several_checks(tmp_path):
    layout, topics = Layout(tmp_path / "out"), Topics()
    result = make_result(make_document("a.md"), pairs=0, rejected=2)
    reasons = (Reason(check="numbers"), Reason(check="evidence"))
    rejected = tuple(each.model_copy(update={"reasons": reasons}) for each in result.rejected)
    topics.entries = [make_entry(make_document("a.md"), 1)]
    topics.put(result.model_copy(update={"rejected": rejected}))
    await live(layout, topics)
    report = gather(layout)
    assert (report.rejections, report.pairs.rejected) == ({"numbers": 2, "evidence": 2}, 2)
