"""The report as it is seen: in a real browser, at desktop and phone width, in the dark, offline."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from consumer.dataset.report.gathering import gather
from consumer.dataset.report.page import render
from output.layout import Layout
from schemas import Evidence, FileState, Status
from schemas.messages import Timing, Usage
from tests.support.browser import running_browser
from tests.support.outcomes import make_document, make_entry, make_result
from tests.support.outputs import Topics, live
from tests.support.pairs import a_pair, a_result

pytestmark = pytest.mark.browser

SCRIPT = "<script>document.title = 'taken'</script>"
QUOTE = "电子迁移率约为1400 cm²/(V·s)。"
TEXT = f"# 硅{SCRIPT}\n" + "硅是一种半导体材料。" * 60 + QUOTE + "Silicon is grown from a melt. " * 60
LONG = "sub/" + "a-very-long-name-without-any-space" * 6 + ".txt"
SIZES = {"desktop": (1280, 900), "phone": (390, 844), "dark": (1280, 900)}
SECTIONS = {
    "Documents and chunks", "Pairs by type and language", "Rejections", "Scores", "Lengths", "Tokens and calls",
    "Slowest documents", "Models and recipes", "20 pairs by chance",
}  # fmt: skip


def results() -> Iterator:
    """Of three documents; kept and rejected pairs of each type, one failed chunk."""
    start = TEXT.index(QUOTE)
    for path in ("硅.md", LONG, f"{SCRIPT}.md"):
        for index in range(4):
            begin = index * 10_000
            evidence = (Evidence(text=QUOTE, start=begin + start, end=begin + start + len(QUOTE)),)
            pairs = [
                a_pair(
                    f"电子迁移率是多少 {index}{kind}{SCRIPT}？",
                    kind=kind,
                    evidence=evidence,
                    scores={"answer": 0.7 + index / 10},
                )
                for kind in ("factual", "comparative", "reasoning", "open")
            ]
            result = a_result(make_document(path), index, pairs[: 4 - index % 2], pairs[2:], text=TEXT)
            usage = Usage(calls=2, prompt_tokens=800, completion_tokens=300)
            yield result.model_copy(update={"usage": usage, "timing": Timing(total_ms=900 + index, model_ms=700)})
        yield make_result(make_document(path), 4, status=Status.FAILED)


@dataclass(slots=True)
class Seen:
    """An open page, and all that it did besides showing itself."""

    page: object
    file: Path
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    layout, topics = Layout(tmp_path_factory.mktemp("report") / "out"), Topics()
    topics.put(*results())
    topics.entries = [make_entry(make_document(path), 5) for path in ("硅.md", LONG, f"{SCRIPT}.md")]
    topics.entries.append(
        make_entry(make_document("bad.pdf"), 0, state=FileState.REJECTED).model_copy(update={"reason": SCRIPT})
    )
    asyncio.run(live(layout, topics, per_segment=20))
    path = layout.root / "report.html"
    path.write_text(render(gather(layout)))
    return path


@pytest.fixture(scope="module")
def pages(file) -> Iterator[dict[str, Seen]]:
    with running_browser() as browser:
        yield {name: opened(browser, name, size, file) for name, size in SIZES.items()}


def opened(browser, name: str, size: tuple[int, int], file: Path) -> Seen:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, offline=True, color_scheme="dark" if name == "dark" else "light"
    )
    seen = Seen(context.new_page(), file)
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on("console", lambda message: seen.complaints.append(message.text))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.goto(file.as_uri())
    return seen


@pytest.fixture(params=["desktop", "phone"])
def seen(request, pages) -> Seen:
    return pages[request.param]


def test_every_section_is_seen(seen: Seen):
    headings = seen.page.locator("h2")
    assert set(headings.all_inner_texts()) == SECTIONS
    assert seen.page.locator("section:visible").count() == len(SECTIONS)
    assert all(height > 60 for _, _, height in boxes(seen, "section"))


BOXES = "s => [...document.querySelectorAll(s)].map(e => { const b = e.getBoundingClientRect(); return [b.x, b.width, b.height] })"


def boxes(seen: Seen, selector: str) -> list[tuple[float, float, float]]:
    """Left edge, width and height of each, in pixels."""
    return [tuple(box) for box in seen.page.evaluate(BOXES, selector)]


def test_nothing_is_wider_than_the_window(seen: Seen):
    wide = seen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
    for x, width, _ in boxes(seen, "section > *, figure, article, article *, body > header"):
        assert x >= 0
        assert x + width <= seen.page.viewport_size["width"]


def test_plots_have_size_and_show_bars(seen: Seen):
    assert len(boxes(seen, "figure svg")) == 2 + 1 + 1 + 4  # types, rejections, one score, lengths
    assert all(width > 250 and height > 60 for _, width, height in boxes(seen, "figure svg"))
    for number in range(1, 9):
        bars = seen.page.evaluate(
            "n => [...document.querySelectorAll('figure')[n].querySelectorAll('.series rect')]"
            ".map(e => e.getBoundingClientRect()).filter(b => b.width > 5 && b.height > 5).length",
            number - 1,
        )
        assert bars, f"plot {number}"
    assert seen.page.locator("figure [role=img][aria-label]").count() == 8


def test_text_in_plots_can_be_read(seen: Seen):
    assert min(height for _, _, height in boxes(seen, "figure svg .axis text") if height) > 10


@pytest.mark.parametrize("name", SIZES)
def test_bars_stand_out_from_the_paper(pages, name):
    page = pages[name].page
    bar, paper = (
        "getComputedStyle(document.querySelector('figure .color-0 rect')).fill",
        "getComputedStyle(document.querySelector('figure')).backgroundColor",
    )
    assert contrast(page.evaluate(bar), page.evaluate(paper)) > 1.5


@pytest.mark.parametrize("name", SIZES)
def test_text_stands_out_from_the_paper(pages, name):
    for selector in ("body", ".soft", "td", ".reasoning", ".cards small"):
        color, paper = pages[name].page.evaluate(
            "s => { const e = document.querySelector(s); let b = e, c; do { c = getComputedStyle(b).backgroundColor;"
            "b = b.parentElement } while (c === 'rgba(0, 0, 0, 0)'); return [getComputedStyle(e).color, c] }",
            selector,
        )
        assert contrast(color, paper) >= 4.5, selector  # WCAG 2, AA


def test_rejected_pairs_are_shown_with_what_was_found(seen: Seen):
    shown = seen.page.locator(".refused:visible")
    assert shown.count() == 2
    tags = [shown.nth(n).locator(".tag").first.inner_text() for n in range(2)]
    assert tags == ["answer_score", "answer_score"]
    assert "电子迁移率是多少" in shown.first.locator(".question").inner_text()
    assert shown.first.locator(".why").inner_text() == "0.2 < 0.7"


def test_evidence_is_marked_in_its_text(seen: Seen):
    assert seen.page.locator("article mark:visible").all_inner_texts() == [QUOTE] * 20
    colors = seen.page.evaluate(
        "[...document.querySelectorAll('article mark, article')].slice(0, 2).map(e => getComputedStyle(e).backgroundColor)"
    )
    assert len(set(colors)) == 2


def test_the_rest_of_a_chunk_opens(seen: Seen):
    text = seen.page.locator("article .text").first
    before = text.inner_text()
    assert "characters" in before
    assert before.count("Silicon") < 10
    for summary in text.locator("summary").all():
        summary.click()
    assert text.inner_text().count("Silicon is grown") == 60


def test_hostile_texts_are_seen_as_text_and_do_nothing(seen: Seen):
    assert "taken" not in seen.page.title()
    assert seen.page.evaluate("document.scripts.length") == 0
    assert SCRIPT in seen.page.locator("article h3").first.inner_text()


def test_it_asks_for_nothing_and_complains_of_nothing(seen: Seen):
    assert seen.requests == [seen.file.as_uri()]
    assert seen.complaints == []


def test_tables_and_headings_are_in_order_for_readers_that_do_not_see(seen: Seen):
    page = seen.page
    assert page.locator("h1").count() == 1
    assert page.locator("table").count() == page.locator("table > caption").count()
    assert page.locator("th:not([scope])").count() == 0
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate("document.documentElement.lang") == "en"


def test_dark_is_dark_and_light_is_light(pages):
    paper = {
        name: luminance(seen.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        for name, seen in pages.items()
    }
    assert paper["dark"] < 0.1
    assert min(paper["desktop"], paper["phone"]) > 0.8


def luminance(color: str) -> float:
    """Of rgb(…), relative, as WCAG 2 defines it."""
    channels = [int(part) / 255 for part in color.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
