"""Merges small segments into larger ones. The merged one is in place, and counts, before its parts are removed."""

import asyncio
from itertools import groupby

from consumer.sink.merge_plan import plan_merge
from output import durable
from output.index.tables import Index
from output.layout import Layout
from output.segments.naming import Segment, temp_name


async def merge_segments(layout: Layout, index: Index, *, limit_bytes: int) -> None:
    """Merges until no merge is worth it. Raises IndexDamagedError, OSError and sqlite3.OperationalError."""
    while parts := _next_merge(index, limit_bytes):
        merged = _covering(parts)
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


def _covering(parts: list[Segment]) -> Segment:
    return Segment(parts[0].topic, parts[0].partition, parts[0].first, parts[-1].last)


async def _concatenate(layout: Layout, parts: list[Segment], merged: Segment) -> None:
    with durable.TempFile(layout.results / temp_name(merged.topic, merged.partition, merged=True)) as file:
        for part in parts:
            with (layout.results / part.name).open("rb") as source:
                while block := source.read(durable.BUFFER_BYTES):
                    file.write(block)
                    await asyncio.sleep(0)
        file.publish(layout.results / merged.name)
