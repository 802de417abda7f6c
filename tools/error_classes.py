"""Writes the tables of error classes in docs/model-server.md and docs/troubleshooting.md."""

from collections.abc import Iterator
from pathlib import Path

from consumer.worker.model.retry import ATTEMPTS
from schemas.error_classes import ERROR_CLASSES, Retry
from tools.places import ROOT, between

CLASSES_PAGE = ROOT / "docs" / "model-server.md"
ADVICE_PAGE = ROOT / "docs" / "troubleshooting.md"
BEGIN, END = "<!-- error classes: made by `python -m tools`; do not edit -->\n", "<!-- end of error classes -->\n"
_SHOWN_ATTEMPTS = {Retry.UNTIL_ANSWERED: "none", Retry.NEVER: "1"}


def _classes() -> Iterator[str]:
    yield "| class | seen as | at fault | what happens | attempts |\n|---|---|---|---|---|"
    for row in ERROR_CLASSES.values():
        attempts = _SHOWN_ATTEMPTS.get(row.retry, ATTEMPTS)
        yield f"| {row.name} | {row.seen_as} | {row.fault} | {row.happens} | {attempts} |"


def _advice() -> Iterator[str]:
    yield "| you see | why, and what to do |\n|---|---|"
    yield from (f"| `{row.name}` in the dead letters | {row.advice} |" for row in ERROR_CLASSES.values() if row.advice)


def pages() -> dict[Path, str]:
    tables = {CLASSES_PAGE: _classes(), ADVICE_PAGE: _advice()}
    return {page: between(page, BEGIN, END, lines) for page, lines in tables.items()}
