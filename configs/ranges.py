"""Partitions as they are written in settings: `0-5,7`, or `all`."""

import re
from itertools import pairwise

ALL = "all"
MOST_CHARACTERS = 150
"""Of the shortest way to write them: it is part of a file name."""
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)


def parse_partitions(text: str) -> frozenset[int] | None:
    """Those named by `text`; None for all there are. Raises ValueError, which says what it takes."""
    if text.strip() == ALL:
        return None
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise ValueError(f"{part.strip()!r} is no partition and no range of them. Takes all, or such as 0-5,7")
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    if len(show_partitions(frozenset(found))) > MOST_CHARACTERS:
        raise ValueError("names too many separate partitions. Take such that follow one another, as in 0-499")
    return frozenset(found)


def show_partitions(numbers: frozenset[int] | None) -> str:
    """The shortest way to write them."""
    if numbers is None:
        return ALL
    ordered = sorted(numbers)
    starts = [ordered[0], *(after for before, after in pairwise(ordered) if after > before + 1)]
    ends = [*(before for before, after in pairwise(ordered) if after > before + 1), ordered[-1]]
    return ",".join(
        str(first) if first == last else f"{first}-{last}" for first, last in zip(starts, ends, strict=True)
    )
