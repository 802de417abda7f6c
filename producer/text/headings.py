"""Headings: which lines are one, and the path of headings above a place."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

MAX_TITLE = 200
MAX_PLAIN = 60
"""Most characters of a heading without a mark of its own: a longer numbered line is a sentence."""
DEEPEST = 6

_NUMBER = "一二三四五六七八九十百千零〇两0-9０-９"
_MARKDOWN = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*)")
_PLAIN: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], int]], ...] = (
    (re.compile(rf"第\s*[{_NUMBER}]+\s*[章篇编部卷](?!\w{{0,2}}分)"), lambda _: 1),
    (re.compile(rf"第\s*[{_NUMBER}]+\s*[节節]"), lambda _: 2),
    (re.compile(r"(?:Chapter|Part|CHAPTER|PART)\s+(?:\d+|[IVXLC]+)\b"), lambda _: 1),
    (re.compile(r"(?:Section|SECTION)\s+\d+"), lambda _: 2),
    (re.compile(r"[一二三四五六七八九十百]+、\s*\S"), lambda _: 2),
    (re.compile(r"[（(][一二三四五六七八九十百]+[）)]\s*\S"), lambda _: 3),
    (re.compile(r"(\d{1,3}(?:\.\d{1,3})+)\.?[ \t　]+[^\W\d]"), lambda m: min(m[1].count(".") + 1, DEEPEST)),
)
_FIRST = frozenset(" #第CPS（(0123456789一二三四五六七八九十百")
_NOT_LAST = frozenset("。．.!！?？,，;；:：、…")


class Heading(NamedTuple):
    """`level` is 1 for the outermost kind."""

    level: int
    title: str


def heading(line: str) -> Heading | None:
    """The heading that `line` is by itself: `# Markdown`, `第三章 …`, `一、…`, `2.1 …`, `Chapter 4 …`, or None."""
    if not line or line[0] not in _FIRST:
        return None
    if found := _MARKDOWN.match(line):
        title = found[2].strip().rstrip("#").rstrip()
        return Heading(len(found[1]), title[:MAX_TITLE]) if title else None
    return _plain(line.strip())


_UNDERLINE = re.compile(r" {0,3}(={3,}|-{3,})[ \t]*\n?\Z")
_NOT_TITLE = re.compile(r"\s|[-*+>|#]|\d+[.)]\s.*[.。]$")


def underline(line: str) -> int:
    """The level of heading that `line` makes of the one above it: 1 for ===, 2 for ---, 0 for anything else."""
    if line[0] not in "=- ":
        return 0
    found = _UNDERLINE.match(line)
    return (1 if found[1][0] == "=" else 2) if found else 0


def underlined(line: str, level: int) -> Heading | None:
    """The heading of a line with such a line below it (setext); None where it is a list, a table or too long."""
    title = line.strip()
    if not title or len(title) > MAX_TITLE or _NOT_TITLE.match(line):
        return None
    return Heading(level, title)


def _plain(line: str) -> Heading | None:
    if not line or len(line) > MAX_PLAIN or line[-1] in _NOT_LAST:
        return None
    for pattern, level in _PLAIN:
        if found := pattern.match(line):
            return Heading(level(found), line)
    return None


def below(path: Sequence[Heading], new: Heading) -> tuple[Heading, ...]:
    """The path of headings once `new` has come: it ends all of its own level and deeper."""
    return (*(above for above in path if above.level < new.level), new)
