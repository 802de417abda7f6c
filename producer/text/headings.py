"""Recognition of headings, and the path of headings above a place in a text."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from languages import LANGUAGES
from languages.language import Languages

MAX_TITLE = 200
MAX_PLAIN = 60
"""Longest heading, in characters, that has only a number: a longer numbered line is a sentence."""
DEEPEST = 6

_MARKDOWN = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*)")
_NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3})+)\.?[ \t　]+[^\W\d]")
_STARTS = " #0123456789"
_NOT_LAST = frozenset("。．.!！?？,，;；:：、…")


class Heading(NamedTuple):
    """A heading. Level 1 is the outermost."""

    level: int
    title: str


def heading(line: str, languages: Languages = LANGUAGES) -> Heading | None:
    """The heading that a line is by itself: `# Markdown`, `第三章 …`, `一、…`, `2.1 …`, `Chapter 4 …`. Else None."""
    if not line or line[0] not in _starts(languages):
        return None
    if found := _MARKDOWN.match(line):
        title = found[2].strip().rstrip("#").rstrip()
        return Heading(len(found[1]), title[:MAX_TITLE]) if title else None
    return _plain(line.strip(), languages)


@lru_cache
def _starts(languages: Languages) -> frozenset[str]:
    """The first characters of all kinds of headings: most lines have another one and need no closer look."""
    return frozenset(_STARTS).union(*(language.writing.heading_starts for language in languages))


_UNDERLINE = re.compile(r" {0,3}(={3,}|-{3,})[ \t]*\n?\Z")
_NOT_TITLE = re.compile(r"\s|[-*+>|#]|\d+[.)]\s.*[.。]$")


def underline(line: str) -> int:
    """The level of heading that `line` makes of the line above it: 1 for ===, 2 for ---, 0 for any other line."""
    if line[0] not in "=- ":
        return 0
    found = _UNDERLINE.match(line)
    return (1 if found[1][0] == "=" else 2) if found else 0


def underlined(line: str, level: int) -> Heading | None:
    """The heading that an underlined line is (setext); None when it is a list, a table or too long."""
    title = line.strip()
    if not title or len(title) > MAX_TITLE or _NOT_TITLE.match(line):
        return None
    return Heading(level, title)


def _plain(line: str, languages: Languages) -> Heading | None:
    if not line or len(line) > MAX_PLAIN or line[-1] in _NOT_LAST:
        return None
    for language in languages:
        for pattern, level in language.writing.headings:
            if pattern.match(line):
                return Heading(level, line)
    numbered = _NUMBERED.match(line)
    return Heading(min(numbered[1].count(".") + 1, DEEPEST), line) if numbered else None


def below(path: Sequence[Heading], new: Heading) -> tuple[Heading, ...]:
    """The path of headings after `new`, which ends all headings of its own level and deeper."""
    return (*(above for above in path if above.level < new.level), new)
