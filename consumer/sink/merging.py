"""Merges small segments into larger ones. The merged one is in place, and counts, before its parts are removed."""

import asyncio
from itertools import groupby, takewhile

from output import durable
from output.index.tables import Index
from output.layout import Layout
from output.segments.naming import Segment, temp_name

FAN = 8
"""Number of segments of about one size that become one: each byte is rewritten once for each power of `FAN`."""


async def merge_segments(layout: Layout, index: Index, *, limit_bytes: int) -> None:
    """Merges until no merge is worth it. Raises IndexDamagedError, OSError and sqlite3.OperationalError."""
    while parts := _next_merge(index, limit_bytes):
        merged = Segment(parts[0].topic, parts[0].partition, parts[0].first, parts[-1].last)
        await _concatenate(layout, parts, merged)
        index.segments.merge(merged, (layout.results / merged.name).stat().st_size, parts)
        for part in parts:
            durable.remove(layout.results / part.name)


def _next_merge(index: Index, limit_bytes: int) -> list[Segment]:
    sizes = index.segments.sizes()
    for _, partition in groupby(sorted(sizes), key=lambda segment: (segment.topic, segment.partition)):
        run = list(partition)
        chosen = plan_merge([sizes[segment] for segment in run], limit_bytes=limit_bytes)
        if chosen is not None:
            return run[chosen.start : chosen.stop]
    return []


async def _concatenate(layout: Layout, parts: list[Segment], merged: Segment) -> None:
    with durable.TempFile(layout.results / temp_name(merged.topic, merged.partition, merged=True)) as file:
        for part in parts:
            with (layout.results / part.name).open("rb") as source:
                while block := source.read(durable.BUFFER_BYTES):
                    file.write(block)
                    await asyncio.sleep(0)
        file.publish(layout.results / merged.name)


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
