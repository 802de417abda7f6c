"""Where chunks begin: cuts chosen by content among the starts of the units.

Cuts are not found by filling chunks from the start: which places are cuts depends on the text within some chunk sizes
of them. So an edit changes the chunk it falls in and at most a few neighbours. Two steps:

1. An anchor is the best start (highest tier, then hash of the text that follows) of all within 0.4 chunk sizes on
   either side, unless all of what lies between its next better ones fits into one chunk anyway.
2. From cut to cut: up to the next anchor where that fits; otherwise the best start that leaves neither side too small.

The first is the local-maximum chunking of content-defined chunking (Bjørner, Blass, Gurevich 2010), which limits how
far an edit is felt; the second bounds the size of chunks. `marks` settles beforehand what it can for a text
that was split before.
"""

import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from producer.text.measure import Measure
from producer.text.units import Tier, Unit

LOOK = 48
"""Characters after a place that decide, by their hash, between places of one tier."""
REACH, LONGEST_UNIT, LEAST = 0.4, 0.4, 0.3
"""Of the size of a chunk: see above; the longest unit; the least that a cut leaves on either side."""


@dataclass(slots=True, eq=False)
class Start:
    """Of a unit: a possible cut, `at` this much after the text's start. `left` is how far back the next better one is.

    `anchor`: whether it is a cut for certain; None while that is not known.
    """

    at: int
    size: int
    rank: int
    unit: Unit
    left: int = 0
    anchor: bool | None = None

    @property
    def end(self) -> int:
        return self.at + self.size


def head(unit: Unit) -> int:
    """Hash of how a unit begins, 32 bits."""
    return zlib.crc32(unit.text[:LOOK].encode())


def starts_of(found: Iterable[Unit], measure: Measure, longest: int) -> Iterator[Start]:
    """`longest` is the most that a unit may have by `measure`; a larger one is halved until it has not."""
    at = 0
    for unit in found:
        for part, size in _measured(unit, measure, longest):
            yield Start(at, size, part.tier << 32 | head(part), part)
            at += size


def _measured(unit: Unit, measure: Measure, longest: int) -> Iterator[tuple[Unit, int]]:
    size = max(1, measure.size(unit.text))  # there are tokenizers for which white space is nothing
    half = len(unit.text) // 2
    if size <= longest or not half:
        yield unit, size
        return
    before = tuple((offset, found) for offset, found in unit.headings if offset < half)
    after = tuple((offset - half, found) for offset, found in unit.headings if offset >= half)
    yield from _measured(Unit(unit.text[:half], unit.tier, before), measure, longest)
    yield from _measured(Unit(unit.text[half:], Tier.ANYWHERE, after), measure, longest)


def anchored(starts: Iterable[Start], size: int) -> Iterator[Start]:
    """The same, each as soon as it is known whether it is an anchor: a better one or `size` have followed.

    `falling` holds those of the last two sizes that no better one has followed; among equals the first is better.
    """
    waiting: deque[Start] = deque()
    falling: deque[Start] = deque()
    end = 0
    for start in starts:
        while falling and falling[-1].rank < start.rank:
            _decide(falling.pop(), start.at, size)
        start.left = start.at - (falling[-1].at if falling else 0)
        falling.append(start)
        waiting.append(start)
        while start.at - falling[0].at > 2 * size:
            falling.popleft()
        while waiting and (waiting[0].anchor is not None or start.at - waiting[0].at > size):
            yield _decide(waiting.popleft(), start.at, size)
        end = start.end
    for start in waiting:
        yield _decide(start, end, size)


def _decide(start: Start, right: int, size: int) -> Start:
    """`right` is where a better one, the end, or something over `size` away is."""
    if start.anchor is None:
        ahead = right - start.at
        start.anchor = min(start.left, ahead) > size * REACH and start.left + ahead > size
    return start


def groups(starts: Iterable[Start], size: int) -> Iterator[list[Unit]]:
    """The units of one chunk each."""
    held: list[Start] = []
    for start in starts:
        held.append(start)
        if start.anchor and len(held) > 1:
            while held[0] is not start:
                yield _take(held, _next_cut(held, start.at, size))
        elif start.at - held[0].at > 2 * size:
            yield _take(held, _best(held, size // 2, size))
    if held:
        end = held[-1].end
        while held:
            yield _take(held, _next_cut(held, end, size))


def _next_cut(held: Sequence[Start], end: int, size: int) -> int:
    """How many of `held` make the next chunk, where `end` is a cut; two chunks where that can be."""
    length = end - held[0].at
    if length <= size:
        return next((n for n, start in enumerate(held) if start.at == end and n), len(held))
    if length > 2 * size:
        return _best(held, size // 2, size)
    least = int(size * LEAST)
    try:
        return _best(held, max(least, length - size), min(size, length - least))
    except ValueError:  # close to two sizes, and no unit begins between them
        return _best(held, size // 2, size)


def _best(held: Sequence[Start], low: int, high: int) -> int:
    """Number of the best start from `low` to `high` after the first. Units being short, a wide range has one."""
    first = held[0].at
    inside = (n for n, start in enumerate(held) if low <= start.at - first <= high)
    return max(inside, key=lambda n: (held[n].rank, n))


def _take(held: list[Start], count: int) -> list[Unit]:
    taken = [start.unit for start in held[:count]]
    del held[:count]
    return taken
