"""Text to chunks, streaming, with exact offsets.

Cuts are chosen by content and not by filling chunks from the start: which places are cuts depends on the text within
some chunk sizes of them. So an edit changes the chunk it falls in and at most a few neighbours, and the other chunks,
with all that was already answered for them, stay. Two steps find the cuts among the starts of the units:

1. An anchor is the best start (highest tier, then hash of the text that follows) of all within 0.4 chunk sizes on
   either side, unless all of what lies between its next better ones fits into one chunk anyway.
2. From cut to cut: up to the next anchor where that fits; otherwise the best start that leaves neither side too small.

The first is the local-maximum chunking of content-defined chunking (Bjørner, Blass, Gurevich 2010), which limits how
far an edit is felt; the second bounds the size of chunks.
"""

import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from producer.headings import Heading, below
from producer.units import Unit, units
from schemas.ids import digest

RULES = 1
"""Raised when the same text and settings would be split differently: the documents are then published anew."""
LOOK = 48
"""Characters after a place that decide, by their hash, between places of one tier."""
_REACH, _UNIT, _LEAST = 0.4, 0.4, 0.3


class Split(NamedTuple):
    """A chunk: `text[start:end]` of the whole. `headings` stand above its start, outermost first."""

    start: int
    end: int
    text: str
    headings: tuple[str, ...]
    title: str


@dataclass(slots=True, eq=False)
class _Start:
    """Of a unit: a possible cut. `left` is how far back the next better one is."""

    at: int
    rank: int
    unit: Unit
    left: int = 0
    anchor: bool | None = None


_SENTENCE_START = re.compile(r"(?:[。！？]|[.!?]\s|\n)\s*(?=\S)")
_WORD_START = re.compile(r"\s+(?=\S)")


def splitter_hash(*, size: int, overlap: int, encoding: str | None) -> str:
    """Names everything besides the file's bytes that its chunks depend on."""
    return digest("splitter", RULES, size, overlap, encoding or "")


def split(pieces: Iterable[str], *, size: int, overlap: int = 0) -> Iterator[Split]:
    r"""Chunks of a text given in pieces of any size; line ends must be "\n".

    Without `overlap` they are the whole text in order, save those of white space only, which are left out; none is
    over `size` characters. With it each begins up to `overlap` characters before the end of the one before.
    Memory is some multiples of `size` and of the largest piece, whatever the text.
    """
    body = size - overlap
    starts = _anchored(_starts(units(pieces, longest=int(body * _UNIT))), body)
    return _chunks(_groups(starts, body), overlap)


def _starts(found: Iterable[Unit]) -> Iterator[_Start]:
    at = 0
    for unit in found:
        yield _Start(at, unit.tier << 32 | zlib.crc32(unit.text[:LOOK].encode()), unit)
        at += len(unit.text)


def _anchored(starts: Iterable[_Start], size: int) -> Iterator[_Start]:
    """The same, each as soon as it is known whether it is an anchor: a better one or `size` characters have followed.

    `falling` holds those of the last two sizes that no better one has followed; among equals the first is better.
    """
    waiting: deque[_Start] = deque()
    falling: deque[_Start] = deque()
    end = 0
    for start in starts:
        while falling and falling[-1].rank < start.rank:
            _decide(falling.pop(), start.at, size)
        start.left = start.at - (falling[-1].at if falling else 0)
        falling.append(start)
        waiting.append(start)
        while start.at - falling[0].at > 2 * size:
            falling.popleft()
        while waiting[0].anchor is not None or start.at - waiting[0].at > size:
            yield _decide(waiting.popleft(), start.at, size)
        end = start.at + len(start.unit.text)
    for start in waiting:
        yield _decide(start, end, size)


def _decide(start: _Start, right: int, size: int) -> _Start:
    """`right` is where a better one, the end, or something over `size` characters away is."""
    if start.anchor is None:
        ahead = right - start.at
        start.anchor = min(start.left, ahead) > size * _REACH and start.left + ahead > size
    return start


def _groups(starts: Iterable[_Start], size: int) -> Iterator[list[Unit]]:
    """The units of one chunk each."""
    held: list[_Start] = []
    for start in starts:
        held.append(start)
        if start.anchor and len(held) > 1:
            while held[0] is not start:
                yield _take(held, _next_cut(held, start.at, size))
        elif start.at - held[0].at > 2 * size:
            yield _take(held, _best(held, size // 2, size))
    if held:
        end = held[-1].at + len(held[-1].unit.text)
        while held:
            yield _take(held, _next_cut(held, end, size))


def _next_cut(held: Sequence[_Start], end: int, size: int) -> int:
    """How many of `held` make the next chunk, where `end` is a cut."""
    length = end - held[0].at
    if length <= size:
        return next((n for n, start in enumerate(held) if start.at == end), len(held))
    if length <= (2 - _UNIT) * size:
        least = int(size * _LEAST)
        return _best(held, max(least, length - size), min(size, length - least))
    return _best(held, size // 2, size)


def _best(held: Sequence[_Start], low: int, high: int) -> int:
    """Number of the best start from `low` to `high` characters after the first; there is one, units being short."""
    first = held[0].at
    inside = (n for n, start in enumerate(held) if low <= start.at - first <= high)
    return max(inside, key=lambda n: (held[n].rank, n))


def _take(held: list[_Start], count: int) -> list[Unit]:
    taken = [start.unit for start in held[:count]]
    del held[:count]
    return taken


def _chunks(groups: Iterable[Sequence[Unit]], overlap: int) -> Iterator[Split]:
    at, title = 0, ""
    path: tuple[Heading, ...] = ()
    coming: list[tuple[int, Heading]] = []  # headings at or after the start of the chunk before
    tail = ""
    for group in groups:
        text = "".join(unit.text for unit in group)
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
        tail = _tail(text, overlap)


def _tail(text: str, overlap: int) -> str:
    """The end of a chunk that the next one repeats: whole sentences if any, else whole words; at most half of it."""
    length = min(overlap, len(text) // 2)
    if not length:
        return ""
    tail = text[-length:]
    begins = _SENTENCE_START.search(tail) or _WORD_START.search(tail)
    return tail[begins.end() :] if begins else tail
