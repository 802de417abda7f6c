"""Finds the line of a setting in a TOML file, because `tomllib` gives values without line numbers."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

Place = tuple[str | int, ...]
_TABLE = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:\"[^\"]*\"|[\w-]+)(?:\s*\.\s*(?:\"[^\"]*\"|[\w-]+))*)\s*=")
_PART = re.compile(r"\"([^\"]*)\"|([\w-]+)")


def line_of(text: str, place: Sequence[str | int]) -> int | None:
    """Return the number of the line that sets `place`, or else of the innermost table around it, or None."""
    lines: dict[Place, int] = {}
    for number, found in _places(text):
        lines.setdefault(found, number)
    return next((lines[tuple(place[:n])] for n in range(len(place), 0, -1) if tuple(place[:n]) in lines), None)


def _places(text: str) -> Iterator[tuple[int, Place]]:
    table: Place = ()
    seen: Counter[Place] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = name = _parts(header[2])
            if header[1] == "[[":
                table = (*name, seen[name])
                seen[name] += 1
            yield number, table
        elif key := _KEY.match(line):
            yield number, (*table, *_parts(key[1]))


def _parts(dotted: str) -> Place:
    return tuple(quoted or bare for quoted, bare in _PART.findall(dotted))
