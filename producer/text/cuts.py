"""The choice of cuts among the starts of units, by content.

Chunks are not filled from the start of the text. Whether a place is a cut depends only on the text within a few chunk
sizes of it, so that an edit changes the chunk it falls in and at most a few neighbours. There are two steps:

1. An anchor is the best start (highest tier, then highest hash of the text that follows) within 0.4 chunk sizes on
   either side. A start is no anchor when all text between its next better ones fits into one chunk anyway.
2. The next cut is the next anchor if the text up to there fits into a chunk. Otherwise it is the best start that leaves
   neither side too small.

The first step is the local-maximum method of content-defined chunking (Bjørner, Blass, Gurevich 2010), which limits how
far an edit is felt. The second step bounds the size of chunks. For a text that was split before, `marks` decides as
many starts as it can in advance.
"""

import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from producer.text.measure import Measure
from producer.text.units import Tier, Unit

LOOK = 48
"""Number of characters after a start whose hash decides between starts of one tier."""
REACH, LONGEST_UNIT, LEAST = 0.4, 0.4, 0.3
"""Shares of a chunk's size: the reach of an anchor, the longest unit, and the least that a cut leaves on a side."""


@dataclass(slots=True, eq=False)
class Start:
    """The start of a unit, a possible cut. `at` is its distance from the start of the text, by the measure.

    `left` is the distance back to the next better start. `anchor` is true for a certain cut, and None until known.
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
    """A hash, 32 bits, of the first characters of a unit."""
    return zlib.crc32(unit.text[:LOOK].encode())


def starts_of(found: Iterable[Unit], measure: Measure, longest: int) -> Iterator[Start]:
    """The starts of units. A unit that is larger than `longest` by `measure` is halved until its parts are not."""
    at = 0
    for unit in found:
        for part, size in _measured(unit, measure, longest):
            yield Start(at, size, part.tier << 32 | head(part), part)
            at += size


def _measured(unit: Unit, measure: Measure, longest: int) -> Iterator[tuple[Unit, int]]:
    size = max(1, measure.size(unit.text))  # some tokenizers have no token for white space
    half = len(unit.text) // 2
    if size <= longest or not half:
        yield unit, size
        return
    before = tuple((offset, found) for offset, found in unit.headings if offset < half)
    after = tuple((offset - half, found) for offset, found in unit.headings if offset >= half)
    yield from _measured(Unit(unit.text[:half], unit.tier, before), measure, longest)
    yield from _measured(Unit(unit.text[half:], Tier.ANYWHERE, after), measure, longest)


def anchored(starts: Iterable[Start], size: int) -> Iterator[Start]:
    """The same starts, each as soon as `anchor` is known: once a better start or `size` of text has followed.

    `falling` holds the starts of the last two sizes that no better start has followed. Of equals the first is better.
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
    """Set `anchor`. `right` is the place of the next better start, of the end, or any place more than `size` ahead."""
    if start.anchor is None:
        ahead = right - start.at
        start.anchor = min(start.left, ahead) > size * REACH and start.left + ahead > size
    return start


def groups(starts: Iterable[Start], size: int) -> Iterator[list[Unit]]:
    """Groups of units; each group is one chunk."""
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
    """The number of starts of `held` in the next chunk when `end` is a cut. Two chunks fill the space if they can."""
    length = end - held[0].at
    if length <= size:
        return next((n for n, start in enumerate(held) if start.at == end and n), len(held))
    if length > 2 * size:
        return _best(held, size // 2, size)
    least = int(size * LEAST)
    try:
        return _best(held, max(least, length - size), min(size, length - least))
    except ValueError:  # nearly two sizes long, and no unit begins in that range
        return _best(held, size // 2, size)


def _best(held: Sequence[Start], low: int, high: int) -> int:
    """Index of the best start `low` to `high` after the first. Units are short, so that a wide range holds a start."""
    first = held[0].at
    inside = (n for n, start in enumerate(held) if low <= start.at - first <= high)
    return max(inside, key=lambda n: (held[n].rank, n))


def _take(held: list[Start], count: int) -> list[Unit]:
    taken = [start.unit for start in held[:count]]
    del held[:count]
    return taken
