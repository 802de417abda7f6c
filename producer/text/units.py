"""Division of text into units, the smallest pieces of a chunk, with a tier for how good a cut before each unit is.

A unit is a paragraph. A long paragraph is divided into sentences, a long sentence into clauses, then words, and at last
into a fixed number of characters. Units depend only on the text near them, never on the pieces in which the text came.
An edit in one place therefore leaves all units elsewhere as they were.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from languages import LANGUAGES
from languages.language import Languages
from languages.sentences import CLOSERS, sentence_rules
from producer.text.headings import Heading, heading, underline, underlined


class Tier(IntEnum):
    """The quality of a cut before a unit; higher is better. The tier of a heading is HEADING minus its level."""

    ANYWHERE = 0
    SPACE = 1
    CLAUSE = 2
    LINE = 3
    SENTENCE = 4
    ENDED_LINE = 5
    PARAGRAPH = 6
    HEADING = 13


class Unit(NamedTuple):
    """A piece of text. Each heading in it comes with its offset in `text`."""

    text: str
    tier: int
    headings: tuple[tuple[int, Heading], ...] = ()


_NOTHING = Unit("", Tier.PARAGRAPH)
_FINEST = 8
"""A long paragraph has no unit shorter than the longest divided by this: finer units cost time and gain nothing."""


class _Line(NamedTuple):
    text: str
    begins: bool  # False: continues a line that was too long for one piece
    underlined: int = 0  # level of the heading that the next line makes of it, 0 if none


_Rule = Callable[[str], Iterable[tuple[int, int]]]
"""Gives the ends of parts within a text, each with the tier of the part that follows."""

_SPACE = re.compile(r"\s+")


def units(pieces: Iterable[str], *, longest: int, languages: Languages = LANGUAGES) -> Iterator[Unit]:
    r"""The units of a text that comes in pieces of any size; joined they are the text.

    No unit is over `longest` characters. Line ends must be "\n". Memory is a few times `longest` and the largest piece.
    """
    paragraph = _Paragraph(longest, languages)
    for line in _underlined(_lines(pieces, longest)):
        yield from paragraph.add(line)
    yield from paragraph.end()


def _lines(pieces: Iterable[str], longest: int) -> Iterator[_Line]:
    """Lines with their line ends. A longer line comes in parts of exactly `longest` characters from its start."""
    held, begins = "", True
    for piece in pieces:
        *whole, last = (held + piece).split("\n")
        for line in whole:
            yield from _parts(line + "\n", longest, begins=begins)
            begins = True
        cut = len(last) - len(last) % longest if len(last) > longest else 0
        if cut:
            yield from _parts(last[:cut], longest, begins=begins)
            begins = False
        held = last[cut:]
    if held:
        yield from _parts(held, longest, begins=begins)


def _parts(line: str, longest: int, *, begins: bool) -> Iterator[_Line]:
    for at in range(0, len(line), longest):
        yield _Line(line[at : at + longest], begins and at == 0)


def _underlined(lines: Iterable[_Line]) -> Iterator[_Line]:
    """The same lines; a line above === or --- gets the level of heading that this makes of it."""
    above: _Line | None = None
    for line in lines:
        if above:
            level = underline(line.text) if line.begins else 0
            yield above._replace(underlined=level) if level else above
        above = line
    if above:
        yield above


class _Paragraph:
    """Gathers a paragraph, from one good place for a cut to the next."""

    def __init__(self, longest: int, languages: Languages) -> None:
        self._longest = longest
        self._rules = _rules(languages)
        self._before = _Before(languages)
        self._begin(_NOTHING, long=False)

    def _begin(self, first: Unit, *, long: bool) -> None:
        self._parts, self._length, self._tier = [first.text], len(first.text), first.tier
        self._headings, self._long = list(first.headings), long

    def add(self, line: _Line) -> Iterator[Unit]:
        """Take a line, and yield the units that it completes."""
        found = self._before.heading(line)
        tier = self._before.tier(line, found)
        if tier is not None and self._length:
            yield from self.end()
            self._tier = tier
        if found:
            self._headings.append((self._length, found))
        self._parts.append(line.text)
        self._length += len(line.text)
        self._before.see(line, found)
        if self._length > 4 * self._longest:
            yield from self._relieve()

    def end(self) -> Iterator[Unit]:
        """Yield the units of the paragraph, and begin another one."""
        if self._length:
            yield from self._units()
        self._begin(_NOTHING, long=False)

    def _relieve(self) -> Iterator[Unit]:
        """Yield all units of a very long paragraph but the last, which may still grow."""
        self._long = True
        *complete, last = self._units()
        yield from complete
        self._begin(last, long=True)

    def _units(self) -> Iterator[Unit]:
        text = "".join(self._parts)
        if not self._long and self._length <= self._longest:
            yield Unit(text, self._tier, tuple(self._headings))
            return
        at = 0
        for tier, part in _refined(text, self._tier, self._longest, self._rules):
            end = at + len(part)
            inside = tuple((offset - at, found) for offset, found in self._headings if at <= offset < end)
            yield Unit(part, tier, inside)
            at = end


class _Before:
    """The lines before the next one, as far as its tier depends on them."""

    def __init__(self, languages: Languages) -> None:
        self._languages = languages
        self._ends = sentence_rules(languages).ends
        self._blank = True  # a blank line, or nothing, precedes the next line
        self._ended = False  # the last text ended as a sentence does
        self._titled = False  # the last text was a heading, which stays with the text after it
        self._underline = False  # the next line underlines a heading
        self._fenced = False  # within ``` no line is a heading

    def heading(self, line: _Line) -> Heading | None:
        if not line.begins or self._fenced or self._underline:
            return None
        above = underlined(line.text, line.underlined) if line.underlined and self._blank else None
        self._underline = above is not None
        return above or heading(line.text, self._languages)

    def tier(self, line: _Line, found: Heading | None) -> int | None:
        """The tier of a cut before this line; None if there must be no cut."""
        if not line.begins or self._titled or line.text.isspace():
            return None
        if found:
            return Tier.HEADING - found.level
        if self._blank:
            return Tier.PARAGRAPH
        return Tier.ENDED_LINE if self._ended else None

    def see(self, line: _Line, found: Heading | None) -> None:
        if self._underline and found is None:
            self._underline = False
            return
        text = line.text.rstrip()
        if not text:
            self._blank = self._blank or line.begins
            return
        self._blank = False
        self._ended = text[-1] in self._ends or text.rstrip(CLOSERS)[-1:] in self._ends
        self._titled = found is not None
        if line.begins and text.lstrip().startswith(("```", "~~~")):
            self._fenced = not self._fenced


def _refined(text: str, tier: int, longest: int, rules: Sequence[_Rule]) -> Iterator[tuple[int, str]]:
    """Divide a text that is too long by the first rule, and a part that still is too long by the next rule."""
    if not rules:
        for at in range(0, len(text), longest):
            yield (Tier.ANYWHERE if at else tier), text[at : at + longest]
        return
    at = 0
    for end, after in chain(rules[0](text), ((len(text), tier),)):
        if end - at < longest // _FINEST and end < len(text):
            continue
        part, at = text[at:end], end
        if len(part) > longest:
            yield from _refined(part, tier, longest, rules[1:])
        elif part:
            yield tier, part
        tier = after


def _ends_of(pattern: re.Pattern[str], tier: int) -> _Rule:
    def rule(text: str) -> Iterator[tuple[int, int]]:
        return ((found.end(), tier) for found in pattern.finditer(text) if found.end() < len(text))

    return rule


@lru_cache
def _rules(languages: Languages) -> tuple[_Rule, ...]:
    """Rules for dividing a text, the one with the best cuts first."""
    rules = sentence_rules(languages)

    def sentences(text: str) -> Iterator[tuple[int, int]]:
        return ((end, Tier.SENTENCE if is_sentence else Tier.LINE) for end, is_sentence in rules.sentence_ends(text))

    return sentences, _ends_of(rules.clause, Tier.CLAUSE), _ends_of(_SPACE, Tier.SPACE)
