"""A text in pieces: what evidence quotes, what stands around it, and what is further away."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

CONTEXT = 160
"""Characters around a quote that are shown at once."""
Kind = Literal["quote", "near", "far"]


@dataclass(frozen=True, slots=True)
class Piece:
    kind: Kind
    text: str


def pieces(text: str, quotes: Iterable[tuple[int, int]], *, context: int = CONTEXT) -> Iterator[Piece]:
    """Together they are `text`. Quotes are given by where they start and end; they may overlap.

    Without any, the beginning of the text is near.
    """
    marked = [(max(start, 0), min(end, len(text))) for start, end in quotes]
    marked = [span for span in marked if span[0] < span[1]]
    shown = [(start - context, end + context) for start, end in marked] or [(0, 2 * context)]
    edges = {0, len(text)} | {edge for span in [*marked, *shown] for edge in span}
    kinds = [(_kind(start, marked, shown), start, end) for start, end in _steps(edges, len(text))]
    for kind, start, end in _joined(kinds):
        yield Piece(kind, text[start:end])


def spans(pair: dict[str, Any], text: str, start: int) -> list[tuple[int, int]]:
    """Where the evidence of a pair stands in its chunk's `text`, as far as it does."""
    found = []
    for quote in pair.get("evidence", ()):
        begin = quote["start"] - start
        if begin >= 0 and text[begin : quote["end"] - start] == quote["text"]:
            found.append((begin, quote["end"] - start))
    return found


def _steps(edges: Iterable[int], length: int) -> Iterator[tuple[int, int]]:
    return pairwise(sorted(edge for edge in edges if 0 <= edge <= length))


def _kind(at: int, marked: list[tuple[int, int]], shown: list[tuple[int, int]]) -> Kind:
    if any(start <= at < end for start, end in marked):
        return "quote"
    return "near" if any(start <= at < end for start, end in shown) else "far"


def _joined(kinds: Iterable[tuple[Kind, int, int]]) -> Iterator[tuple[Kind, int, int]]:
    """Neighbours of one kind are one piece."""
    last: tuple[Kind, int, int] | None = None
    for kind, start, end in kinds:
        if last is not None and last[0] == kind:
            last = kind, last[1], end
            continue
        if last is not None:
            yield last
        last = kind, start, end
    if last is not None:
        yield last
