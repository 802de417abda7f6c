"""Marks of the chunks of a version, by which the next version keeps them.

Cuts that follow from the text alone are not stable under every edit: since chunks have a largest size, some edits move
several cuts. The ledger therefore keeps a mark of each chunk, and a chunk that the new text still holds stays a chunk.
Only the text between such chunks is cut anew. That is the edited chunk, which becomes one chunk, or two if it grew over
the size of one.
"""

import base64
import zlib
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from producer.text.cuts import LEAST, Start, head
from producer.text.units import Unit

MOST = 4096
"""Most chunks of a document with marks. A document of more chunks is split by its text alone."""
_HEAD, _LENGTH, _BYTES = 3, 3, 10


class ChunkMark(NamedTuple):
    """A chunk without its overlap: hash of its first characters, length in characters, hash of its text."""

    head: int
    length: int
    hash: int

    def pack(self) -> bytes:
        return self.head.to_bytes(_HEAD) + self.length.to_bytes(_LENGTH) + self.hash.to_bytes(4)


class ChunkMarks:
    """The marks of one version in the order of its chunks, white space included. A mark takes ten bytes."""

    def __init__(self, packed: str = "") -> None:
        self._data = bytearray(base64.b64decode(packed))
        self._lasting = True

    @property
    def known(self) -> list[ChunkMark]:
        marks = (self._data[at : at + _BYTES] for at in range(0, len(self._data), _BYTES))
        parts = ((mark[:_HEAD], mark[_HEAD : _HEAD + _LENGTH], mark[_HEAD + _LENGTH :]) for mark in marks)
        return [ChunkMark(*map(int.from_bytes, each)) for each in parts]

    def add(self, units: Sequence[Unit], text: str) -> None:
        self._lasting = self._lasting and len(text) >> 8 * _LENGTH == 0 and len(self._data) < MOST * _BYTES
        if self._lasting:
            self._data += ChunkMark(_short(head(units[0])), len(text), zlib.crc32(text.encode())).pack()

    def pack(self) -> str:
        """The marks in base64; empty for a single chunk, which needs no mark, and for more than the most."""
        useful = self._lasting and len(self._data) > _BYTES
        return base64.b64encode(self._data).decode() if useful else ""


def _short(hashed: int) -> int:
    return hashed & 0xFFFFFF


def kept(starts: Iterable[Start], before: ChunkMarks, size: int) -> Iterator[Start]:
    """The same starts, with `anchor` decided where a chunk of the version before is found again.

    Text between two such chunks stays undecided if it is over two sizes; otherwise it gets no anchor. Very little text
    is joined with the chunk after it, because edits would crumble a document otherwise. Memory is that of three chunks.
    """
    known = before.known
    if not known:
        yield from starts
        return
    ahead, between = _Ahead(starts), _Between(size)
    finder = _Finder(known, least=int(size * LEAST))
    while ahead.fill(finder.longest):
        count = finder.find(ahead.held)
        if not count:
            yield from between.add(ahead.take(1))
        elif between.is_little:
            yield from between.add(ahead.take(count))
        else:
            yield from between.end()
            yield from _decided(ahead.take(count))
    yield from between.end()


def _decided(starts: list[Start]) -> list[Start]:
    """Make one chunk of the starts. `producer.text.cuts` divides it if it is too large."""
    for start in starts:
        start.anchor = False
    starts[0].anchor = True
    return starts


class _Ahead:
    """Starts that were read ahead and not taken yet."""

    def __init__(self, starts: Iterable[Start]) -> None:
        self.held: deque[Start] = deque()
        self._starts = iter(starts)
        self._length = 0

    def fill(self, length: int) -> bool:
        """Read ahead until `length` characters are held or the text ends. False at the end of the text."""
        while self._length < length and (start := next(self._starts, None)):
            self.held.append(start)
            self._length += len(start.unit.text)
        return bool(self.held)

    def take(self, count: int) -> list[Start]:
        taken = [self.held.popleft() for _ in range(count)]
        self._length -= sum(len(start.unit.text) for start in taken)
        return taken


class _Between:
    """The starts since the last chunk that was found again."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: list[Start] = []
        self._first = True  # no start since that chunk has been released

    @property
    def is_little(self) -> bool:
        return self._first and 0 < self._length < int(self._size * LEAST)

    @property
    def _length(self) -> int:
        return self._held[-1].end - self._held[0].at if self._held else 0

    def add(self, starts: list[Start]) -> Iterator[Start]:
        """Add starts, and release all of them once they are too much for two chunks."""
        self._held += starts
        if self._first and self._length <= 2 * self._size:
            return
        if self._first:
            self._held[0].anchor = True
        self._first = False
        yield from self._held
        self._held = []

    def end(self) -> Iterator[Start]:
        if self._held and self._first:
            _decided(self._held)
        yield from self._held
        self._held, self._first = [], True


class _Finder:
    """Finds known chunks from the front of a text to its end. Very small chunks count only in their old order."""

    def __init__(self, marks: Sequence[ChunkMark], *, least: int) -> None:
        self.longest = max(mark.length for mark in marks)
        self._marks = marks
        self._least = least
        self._next = 0
        self._by_head = defaultdict[int, list[int]](list)
        for number, mark in enumerate(marks):
            self._by_head[mark.head].append(number)

    def find(self, held: Sequence[Start]) -> int:
        """The number of starts from the first of `held` that are a known chunk; 0 if there is none."""
        numbers = self._by_head.get(_short(held[0].rank), ())
        for number in sorted(numbers, key=lambda number: number != self._next)[:_TRIES]:
            mark = self._marks[number]
            if number != self._next and mark.length < self._least:
                continue
            count = _count(held, mark.length)
            text = "".join(start.unit.text for start in islice(held, count))
            if count and zlib.crc32(text.encode()) == mark.hash:
                self._next = number + 1
                return count
        return 0


_TRIES = 8
"""Most known chunks with the same beginning to compare at one place: repeated lines would make that slow."""


def _count(held: Iterable[Start], length: int) -> int:
    """The number of starts of `held` with exactly `length` characters together; 0 if there is none."""
    at = 0
    for count, start in enumerate(held, start=1):
        at += len(start.unit.text)
        if at >= length:
            return count if at == length else 0
    return 0
