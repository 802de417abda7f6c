"""Splitting of a stream of text into chunks with exact offsets.

A chunk consists of units (`units`). Chunks of the version before are kept (`marks`). The other cuts are chosen by
content (`cuts`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from languages import LANGUAGES
from languages.language import Languages
from languages.sentences import SentenceRules, sentence_rules
from producer.text.cuts import LONGEST_UNIT, anchored, groups, starts_of
from producer.text.headings import Heading, below
from producer.text.marks import ChunkMarks, kept
from producer.text.measure import Characters, Measure
from producer.text.units import Unit, units
from schemas.ids import digest

RULES = 2
"""Version of the rules. A release that splits any text differently raises it, and all documents are published anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The largest chunk and the part of it that may repeat the chunk before, both in the unit of `measure`."""

    size: int
    overlap: int = 0
    measure: Measure = field(default_factory=Characters)

    @property
    def body(self) -> int:
        return self.size - self.overlap

    @property
    def longest_unit(self) -> int:
        return int(self.body * LONGEST_UNIT)


class Split(NamedTuple):
    """A chunk: `text` is `whole[start:end]`. `headings` are those above its start, the outermost first."""

    start: int
    end: int
    text: str
    headings: tuple[str, ...]
    title: str


_WORD_START = re.compile(r"\s+(?=\S)")


def splitter_hash(sizes: Sizes, *, encoding: str | None) -> str:
    """A hash of the rules and settings that the chunks of a file depend on."""
    return digest("splitter", RULES, sizes.size, sizes.overlap, sizes.measure.name, encoding or "")


def split(
    pieces: Iterable[str],
    sizes: Sizes,
    *,
    before: ChunkMarks | None = None,
    marks: ChunkMarks | None = None,
    languages: Languages = LANGUAGES,
) -> Iterator[Split]:
    r"""The chunks of a text that comes in pieces of any size; line ends must be "\n".

    Without overlap the chunks joined are the whole text, except that chunks of white space only are left out. With
    overlap a chunk begins up to that much before the end of the chunk before it. No chunk is larger than the size.
    A chunk of the version `before` that the text still holds stays a chunk. All chunks are added to `marks`.
    Memory is a few times the size and the largest piece, whatever the text.
    """
    found = units(pieces, longest=sizes.longest_unit, languages=languages)
    starts = kept(starts_of(found, sizes.measure, sizes.longest_unit), before or ChunkMarks(), sizes.body)
    return _chunks(groups(anchored(starts, sizes.body), sizes.body), sizes, marks, sentence_rules(languages))


def _chunks(
    found: Iterable[Sequence[Unit]], sizes: Sizes, marks: ChunkMarks | None, rules: SentenceRules
) -> Iterator[Split]:
    at, title = 0, ""
    path: tuple[Heading, ...] = ()
    coming: list[tuple[int, Heading]] = []  # headings at or after the start of the last chunk
    tail = ""
    for group in found:
        text = "".join(unit.text for unit in group)
        if marks is not None:
            marks.add(group, text)
        begins = at
        for unit in group:
            coming += [(begins + offset, found) for offset, found in unit.headings]
            begins += len(unit.text)
        if at == 0 and coming:
            title = coming[0][1].title
        start = at - len(tail)
        while coming and coming[0][0] < start:
            path = below(path, coming.pop(0)[1])
        if not text.isspace():
            yield Split(start, at + len(text), tail + text, tuple(above.title for above in path), title)
        at += len(text)
        tail = _tail(text, sizes, rules)


def _tail(text: str, sizes: Sizes, rules: SentenceRules) -> str:
    """The end of a chunk that the next chunk repeats: at most half of it, in whole sentences or else whole words."""
    if not sizes.overlap:
        return ""
    tail = sizes.measure.tail(text[len(text) - len(text) // 2 :], sizes.overlap)
    begins = rules.start.search(tail) or _WORD_START.search(tail)
    return tail[begins.end() :] if begins else tail
