"""Chooses the segments to merge by their sizes, without I/O."""

from itertools import takewhile

FAN = 8
"""Number of segments of about one size that become one: each byte is rewritten once for each power of `FAN`."""


def plan_merge(sizes: list[int], *, limit_bytes: int) -> range | None:
    """Returns the neighbours to merge, as positions in the `sizes` of one partition; None when no merge is worth it.

    Like in a binary counter, `FAN` segments of one size class are merged, together with smaller ones between them. A
    segment larger than half of `limit_bytes` stays as it is.
    """
    classes = [_size_class(size) if size * 2 <= limit_bytes else None for size in sizes]
    for chosen in sorted({c for c in classes if c is not None}):
        for start in range(len(classes)):
            run = _run_up_to(classes[start:], chosen)
            if classes[start] == chosen and run.count(chosen) >= FAN:
                return _within_limit(range(start, start + len(run)), sizes, limit_bytes)
    return None


def _run_up_to(classes: list[int | None], highest: int) -> list[int | None]:
    return list(takewhile(lambda c: c is not None and c <= highest, classes))


def _size_class(size: int) -> int:
    return (size.bit_length() + 2) // 3  # powers of 8, as FAN is


def _within_limit(run: range, sizes: list[int], limit_bytes: int) -> range:
    stop, total = run.start, 0
    while stop < run.stop and total + sizes[stop] <= limit_bytes:
        total += sizes[stop]
        stop += 1
    return range(run.start, stop)
