"""What a start finds: left-over temp files, parts of a merge, an index that is behind or damaged."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from output import durable
from output.errors import IndexDamagedError
from output.index.rows import Head, head_of
from output.index.tables import Index
from output.layout import Layout
from output.segments.naming import (
    Segment,
    StoredRecord,
    covering,
    list_segments,
    partition_of_temp,
    read_segment,
)
from schemas import DecodeError, Result, decode

log = logging.getLogger(__name__)


def remove_temporary(layout: Layout) -> None:
    """Of this share: other sinks may be writing."""
    for path in (*layout.temp.iterdir(), *layout.own.glob(".*.tmp")):
        durable.remove(path)
    for path in layout.results.glob(".*.tmp"):
        partition = partition_of_temp(path.name)
        if layout.share.numbers is None or (partition is not None and layout.share.has(partition)):
            durable.remove(path)


def remove_superseded(layout: Layout) -> None:
    """The accounts of earlier sinks that had some of these partitions. They end here; the segments stay."""
    for other in layout.sinks():
        if other.share != layout.share and other.share.overlaps(layout.share):
            log.info("takes over from a sink of other partitions", extra={"before": str(other.share)})
            remove_index(other.index)
            durable.remove(other.status)
            if other.own != layout.home:
                durable.remove_folder(other.own)


def open_index(path: Path) -> Index:
    """The index, or an empty one where it can't be read."""
    try:
        return Index(path)
    except IndexDamagedError as exc:
        log.warning("the index is built again: %s", exc, extra={"path": str(path)})
        remove_index(path)
        return Index(path)


def remove_index(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        durable.remove(path.with_name(path.name + suffix))


async def catch_up(layout: Layout, topic: str, index: Index) -> list[Segment]:
    """Take in segments of the share that the index has not, drop what a merge has covered; all that count, in order.

    Raises SegmentsError, IndexDamagedError and what the disk can raise.
    """
    present = [segment for segment in list_segments(layout.results, topic) if layout.share.has(segment.partition)]
    counting = covering(present)
    known = index.segments()
    _check_known(layout, known, counting)
    for segment in counting:
        if segment not in known:
            take_in(layout, index, segment)
            await asyncio.sleep(0)
    index.forget_segments(known.keys() - set(counting))
    for segment in set(present) - set(counting):
        durable.remove(layout.results / segment.name)
    return counting


def take_in(layout: Layout, index: Index, segment: Segment) -> None:
    size = (layout.results / segment.name).stat().st_size
    index.add_segment(segment, size, _with_heads(read_segment(layout.results, segment)))


def _with_heads(records: Iterator[StoredRecord]) -> Iterator[tuple[StoredRecord, Head | None]]:
    for record in records:
        head = None
        try:
            head = head_of(decode(Result, record.value))
        except DecodeError as exc:
            log.warning(
                "not a result, kept as it is: %s", exc, extra={"segment": record.segment.name, "byte": record.start}
            )
        yield record, head


def _check_known(layout: Layout, known: dict[Segment, int], counting: list[Segment]) -> None:
    """What the index knows must be there, in its size, or be covered."""
    there = set(counting)
    for segment, size in known.items():
        if segment in there:
            found = -1
            with suppress(FileNotFoundError):
                found = (layout.results / segment.name).stat().st_size
            if found != size:
                raise IndexDamagedError(f"results/{segment.name} has {found} bytes, not {size}")
        elif not any(other.covers(segment) for other in counting):
            raise IndexDamagedError(f"results/{segment.name} is gone")
