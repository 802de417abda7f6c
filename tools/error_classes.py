"""The tables of error classes in docs/model-server.md and docs/troubleshooting.md."""

from collections.abc import Iterator
from pathlib import Path

from consumer.worker.model.retry import ATTEMPTS
from schemas.error_classes import ERROR_CLASSES, ErrorClass, Retry
from tools.places import ROOT

CLASSES_PAGE = ROOT / "docs" / "model-server.md"
ADVICE_PAGE = ROOT / "docs" / "troubleshooting.md"
BEGIN, END = "<!-- error classes: made by `python -m tools`; do not edit -->\n", "<!-- end of error classes -->\n"


def _attempts(each: ErrorClass) -> str:
    match each.retry:
        case Retry.UNTIL_ANSWERED:
            return "none"
        case Retry.NEVER:
            return "1"
        case _:
            return str(ATTEMPTS)


def _classes() -> Iterator[str]:
    yield "| class | seen as | at fault | what happens | attempts |\n|---|---|---|---|---|"
    for each in ERROR_CLASSES.values():
        yield f"| {each.name} | {each.seen_as} | {each.fault} | {each.happens} | {_attempts(each)} |"


def _advice() -> Iterator[str]:
    yield "| you see | why, and what to do |\n|---|---|"
    for each in ERROR_CLASSES.values():
        if each.in_letters:
            yield f"| `{each.name}` in the dead letters | {each.advice} |"


def _render(page: Path, lines: Iterator[str]) -> str:
    """The page with `lines` between its two marks."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n".join(lines) + "\n" + END + after


def pages() -> dict[Path, str]:
    """The content of both pages."""
    return {CLASSES_PAGE: _render(CLASSES_PAGE, _classes()), ADVICE_PAGE: _render(ADVICE_PAGE, _advice())}
