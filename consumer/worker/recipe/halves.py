"""Cuts a chunk in two when its answer is too long for one call."""

import re

from schemas import Chunk
from schemas.ids import content_key

LEAST_CHARACTERS = 200
"""Length of a chunk below which it is not cut."""
BOUNDARIES = tuple(
    re.compile(pattern)
    for pattern in (r"\n[ \t]*\n\s*", r"[。！？；][”’」』）]?\s*|[.!?;][\"')”’]?\s+", r"\n\s*", r"[，、,]\s*|\s+")
)
"""Places to cut at, best first: between paragraphs, sentences, lines, clauses or words."""


def halves(chunk: Chunk) -> tuple[Chunk, Chunk] | None:
    """Returns both parts with their offsets in the document, or None for a chunk that is too short."""
    if len(chunk.text) < LEAST_CHARACTERS:
        return None
    cut = middle(chunk.text)
    return _part(chunk, 0, cut), _part(chunk, cut, len(chunk.text))


def middle(text: str) -> int:
    """Returns the offset to cut at: the best kind of boundary in the middle half, nearest to the middle."""
    centre, begin, end = len(text) // 2, len(text) // 4, len(text) - len(text) // 4
    for boundary in BOUNDARIES:
        found = [match.end() for match in boundary.finditer(text, begin, end) if begin < match.end() < end]
        if found:
            return min(found, key=lambda place: abs(place - centre))
    return centre


def _part(chunk: Chunk, begin: int, end: int) -> Chunk:
    text = chunk.text[begin:end]
    place = {"start": chunk.start + begin, "end": chunk.start + end}
    return chunk.model_copy(update={"text": text, **place, "content_key": content_key(text, chunk.headings)})
