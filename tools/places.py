"""The repository's root, and pages of which only a part is generated."""

from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def between(page: Path, begin: str, end: str, lines: Iterable[str]) -> str:
    """Return the content of `page` with `lines` between its marks `begin` and `end`."""
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    return before + begin + "\n".join(lines) + "\n" + end + rest.partition(end)[2]
