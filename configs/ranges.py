"""Sets of partitions as text, such as `0-5,7` or `all`."""

import re
from itertools import pairwise

ALL = "all"
MOST_CHARACTERS = 150
"""Longest text for a set of partitions, because it becomes part of a file name."""
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)


def parse_partitions(text: str) -> frozenset[int] | None:
    """Return the partitions that `text` names, or None for all. Raises ValueError.

    >>> sorted(parse_partitions("0-2,7"))
    [0, 1, 2, 7]
    """
    if text.strip() == ALL:
        return None
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise ValueError(f"{part.strip()!r} is neither a partition nor a range. Takes all, or text such as 0-5,7")
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    if len(show_partitions(frozenset(found))) > MOST_CHARACTERS:
        raise ValueError("names too many separate partitions. Use ranges, such as 0-499")
    return frozenset(found)


def show_partitions(numbers: frozenset[int] | None) -> str:
    """Write the partitions as the shortest text; None is `all`."""
    if numbers is None:
        return ALL
    ordered = sorted(numbers)
    starts = [ordered[0], *(after for before, after in pairwise(ordered) if after > before + 1)]
    ends = [*(before for before, after in pairwise(ordered) if after > before + 1), ordered[-1]]
    return ",".join(
        str(first) if first == last else f"{first}-{last}" for first, last in zip(starts, ends, strict=True)
    )
