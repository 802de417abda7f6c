"""Where the repository is, whose generated files the tools write, and the marks between which they write in pages."""

from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def between(page: Path, begin: str, end: str, lines: Iterable[str]) -> str:
    """The text of `page` with `lines` in place of what stands between the marks `begin` and `end`."""
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    return before + begin + "\n".join(lines) + "\n" + end + after
