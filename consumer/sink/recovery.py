"""Removes and repairs what a sink finds at its start: temporary files, parts of a merge, a damaged index."""

import logging
from pathlib import Path

from output import durable
from output.errors import IndexDamagedError
from output.index.tables import Index
from output.layout import Layout
from output.segments.naming import Segment, list_segments, partition_of_temp

log = logging.getLogger(__name__)


def remove_temporary(layout: Layout) -> None:
    """Removes the temporary files of this share only, because other sinks may be writing."""
    for path in (*layout.temp.iterdir(), *layout.own.glob(".*.tmp")):
        durable.remove(path)
    for path in layout.results.glob(".*.tmp"):
        partition = partition_of_temp(path.name)
        if layout.share.numbers is None or (partition is not None and layout.share.has(partition)):
            durable.remove(path)


def remove_covered(layout: Layout, topic: str, counting: list[Segment]) -> None:
    """Removes the segments of the share that are not in `counting`: a merge has covered them."""
    kept = set(counting)
    for segment in list_segments(layout.results, topic):
        if layout.share.has(segment.partition) and segment not in kept:
            durable.remove(layout.results / segment.name)


def remove_superseded(layout: Layout) -> None:
    """Removes index and state of earlier sinks that wrote some of these partitions. The segments stay."""
    for other in layout.sinks():
        if other.share != layout.share and other.share.overlaps(layout.share):
            log.info("takes over from a sink of other partitions", extra={"before": str(other.share)})
            remove_index(other.index)
            durable.remove(other.sink_state)
            if other.own != layout.home:
                durable.remove_folder(other.own)


def open_index(path: Path) -> Index:
    """Returns the index, or an empty one where it can't be read."""
    try:
        return Index(path)
    except IndexDamagedError as exc:
        log.warning("the index is built again: %s", exc, extra={"path": str(path)})
        remove_index(path)
        return Index(path)


def remove_index(path: Path) -> None:
    """Removes the index with the files that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        durable.remove(path.with_name(path.name + suffix))
