"""Splits a text into pieces: quotes of evidence, the text near them, and the text further away."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby, pairwise
from typing import Any, Literal

CONTEXT = 160
"""Number of characters before and after a quote that are near it."""
Kind = Literal["quote", "near", "far"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text is of one kind."""

    kind: Kind
    text: str


def pieces(text: str, quotes: Iterable[tuple[int, int]], *, context: int = CONTEXT) -> Iterator[Piece]:
    """Yields the pieces of `text` in their order; together they are the whole text.

    `quotes` are given by their start and end in the text; they may overlap. Without quotes, the beginning is near.
    """
    marked = [(max(start, 0), min(end, len(text))) for start, end in quotes]
    marked = [span for span in marked if span[0] < span[1]]
    shown = [(start - context, end + context) for start, end in marked] or [(0, 2 * context)]
    edges = {0, len(text)} | {edge for span in [*marked, *shown] for edge in span if 0 <= edge <= len(text)}
    for kind, steps in groupby(pairwise(sorted(edges)), key=lambda step: _kind(step[0], marked, shown)):
        start, *_, end = chain.from_iterable(steps)
        yield Piece(kind, text[start:end])


def spans(pair: dict[str, Any], text: str, start: int) -> list[tuple[int, int]]:
    """Returns start and end of a pair's evidence in its chunk's `text`, as far as it is there.

    The chunk begins at character `start` of the document, to which the evidence's own positions refer.
    """
    found = []
    for quote in pair.get("evidence", ()):
        begin = quote["start"] - start
        if begin >= 0 and text[begin : quote["end"] - start] == quote["text"]:
            found.append((begin, quote["end"] - start))
    return found


def _kind(at: int, marked: list[tuple[int, int]], shown: list[tuple[int, int]]) -> Kind:
    if any(start <= at < end for start, end in marked):
        return "quote"
    return "near" if any(start <= at < end for start, end in shown) else "far"
