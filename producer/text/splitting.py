"""Text to chunks, streaming, with exact offsets.

A chunk is made of units (`units`). ChunkMarks (`marks`) keep the chunks of the version before. Cuts (`cuts`) choose the
rest.
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
"""Raised when the same text and settings would be split differently: the documents are then published anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Most of a chunk, and how much of it may repeat the chunk before, both by `measure`."""

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
    """A chunk: `text[start:end]` of the whole. `headings` stand above its start, outermost first."""

    start: int
    end: int
    text: str
    headings: tuple[str, ...]
    title: str


_WORD_START = re.compile(r"\s+(?=\S)")


def splitter_hash(sizes: Sizes, *, encoding: str | None) -> str:
    """Names everything besides the file's bytes, and the chunks of its version before, that its chunks depend on."""
    return digest("splitter", RULES, sizes.size, sizes.overlap, sizes.measure.name, encoding or "")


def split(
    pieces: Iterable[str],
    sizes: Sizes,
    *,
    before: ChunkMarks | None = None,
    marks: ChunkMarks | None = None,
    languages: Languages = LANGUAGES,
) -> Iterator[Split]:
    r"""Chunks of a text given in pieces of any size; line ends must be "\n".

    Without overlap they are the whole text in order, save those of white space only, which are left out; none is
    over the size. With it each begins up to the overlap before the end of the one before. Chunks that are in `before`
    and in the text are chunks again; what they all are is added to `marks`.
    Memory is some multiples of the size and of the largest piece, whatever the text.
    """
    found = units(pieces, longest=sizes.longest_unit, languages=languages)
    starts = kept(starts_of(found, sizes.measure, sizes.longest_unit), before or ChunkMarks(), sizes.body)
    return _chunks(groups(anchored(starts, sizes.body), sizes.body), sizes, marks, sentence_rules(languages))


def _chunks(
    found: Iterable[Sequence[Unit]], sizes: Sizes, marks: ChunkMarks | None, rules: SentenceRules
) -> Iterator[Split]:
    at, title = 0, ""
    path: tuple[Heading, ...] = ()
    coming: list[tuple[int, Heading]] = []  # headings at or after the start of the chunk before
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
    """The end of a chunk that the next one repeats: whole sentences if any, else whole words; at most half of it."""
    if not sizes.overlap:
        return ""
    tail = sizes.measure.tail(text[len(text) - len(text) // 2 :], sizes.overlap)
    begins = rules.start.search(tail) or _WORD_START.search(tail)
    return tail[begins.end() :] if begins else tail
