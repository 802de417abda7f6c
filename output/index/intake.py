"""Brings an index up to date with the segments and with the ledger.

The sink's hot path: each segment that it closes goes through `add_segment_file`.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import suppress

from output.errors import IndexDamagedError
from output.index.tables import Index
from output.layout import Layout
from output.segments.naming import Segment, covering, list_segments
from output.segments.records import StoredRecord, read_segment
from schemas import DecodeError, LedgerEntry, Result, decode

LEDGER_BATCH = 500
log = logging.getLogger(__name__)


def add_segment_file(layout: Layout, index: Index, segment: Segment) -> None:
    """Takes the records of a segment file into the index. Raises SegmentsError and IndexDamagedError."""
    size = (layout.results / segment.name).stat().st_size
    index.add_segment(segment, size, _with_results(read_segment(layout.results, segment)))


async def catch_up(layout: Layout, topic: str, index: Index) -> list[Segment]:
    """Takes in the segments of the share that the index has not, and forgets segments that a merge has covered.

    Returns the segments that count, ordered by partition and offset. Raises SegmentsError, and IndexDamagedError for a
    segment that is gone or has another size.
    """
    counting = covering(
        segment for segment in list_segments(layout.results, topic) if layout.share.has(segment.partition)
    )
    known = index.segments.sizes()
    _check_known(layout, known, counting)
    for segment in counting:
        if segment not in known:
            add_segment_file(layout, index, segment)
            await asyncio.sleep(0)
    index.segments.forget(known.keys() - set(counting))
    return counting


def _with_results(records: Iterator[StoredRecord]) -> Iterator[tuple[StoredRecord, Result | None]]:
    for record in records:
        result = None
        try:
            result = decode(Result, record.value)
        except DecodeError as exc:
            place = {"segment": record.segment.name, "byte": record.start}
            log.warning("not a result, kept as it is: %s", exc, extra=place)
        yield record, result


def _check_known(layout: Layout, known: dict[Segment, int], counting: list[Segment]) -> None:
    """Raises IndexDamagedError for a segment that is neither on disk in its size nor covered by another."""
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


async def add_ledger(
    index: Index, entries: AsyncIterable[tuple[int, int, LedgerEntry]], owns: Callable[[str], bool]
) -> None:
    """Takes in entries of our documents, of which `owns` tells by document id, `LEDGER_BATCH` in a transaction.

    Each entry comes with its partition and offset in qa.files.
    """
    batch: list[LedgerEntry] = []
    offsets: dict[int, int] = {}
    async for partition, offset, entry in entries:
        offsets[partition] = offset + 1
        if owns(entry.document.id):
            batch.append(entry)
        if len(batch) >= LEDGER_BATCH:
            index.add_entries(batch, offsets)
            batch = []
    index.add_entries(batch, offsets)
