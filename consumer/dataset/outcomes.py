"""Reads the outcomes that count: the last attempt at each chunk of each document's newest complete version."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from heapq import merge
from itertools import repeat
from typing import Any

from consumer.dataset.errors import DatasetError, NothingThereError
from ledger.promise import Promise
from output.errors import IndexDamagedError
from output.index.outcomes import OutcomeFilter
from output.index.rows import Located, Written
from output.index.tables import Index
from output.layout import Layout
from output.segments.lookup import SegmentFiles
from output.segments.naming import list_segments
from output.share import Share
from schemas import LedgerEntry

TRIES = 3


def indexed(layout: Layout) -> list[Layout]:
    """Returns the layouts of all sinks that keep an index here. Raises NothingThereError."""
    if not layout.root.is_dir():
        raise NothingThereError(f"--output-dir {layout.root}: no such directory")
    sinks = [sink for sink in layout.sinks() if sink.index.exists()]
    if not sinks:
        raise NothingThereError(
            f"{layout.root} has no index ({layout.index}): no sink has written here. If results/ has segments, "
            "make it again with `python -m consumer sink --rebuild`"
        )
    return sinks


@contextmanager
def open_indexes(layout: Layout) -> Iterator[list[Index]]:
    """Yields the indexes of all sinks, read-only; a document is in one. Raises NothingThereError and DatasetError."""
    sinks = indexed(layout)
    _check_all_are_there(layout, sinks)
    with ExitStack() as stack:
        yield [stack.enter_context(_open_index(sink)) for sink in sinks]


def all_written(indexes: list[Index]) -> Iterator[tuple[Index, Written]]:
    """Returns all complete documents, ordered by source and path, each with the index that has its outcomes."""

    def place(found: tuple[Index, Written]) -> tuple[str, str, str]:
        document = found[1].promise.document
        return document.source, document.path, document.id

    return merge(*(zip(repeat(index), index.documents.all_written()) for index in indexes), key=place)


def all_entries(indexes: list[Index]) -> Iterator[tuple[Index, LedgerEntry]]:
    """Returns the newest ledger entries of all documents, ordered by document id, each with its index."""
    return merge(
        *(zip(repeat(index), index.ledger.entries()) for index in indexes), key=lambda found: found[1].document.id
    )


def _check_all_are_there(layout: Layout, sinks: list[Layout]) -> None:
    """Raises DatasetError for segments of partitions without an index: they would be left out silently."""
    share = Share.union(sink.share for sink in sinks)
    unknown = {segment.partition for segment in list_segments(layout.results) if not share.has(segment.partition)}
    if unknown:
        numbers = Share(frozenset(unknown))
        raise DatasetError(
            f"results/ in {layout.root} has partitions {numbers}, of which no sink keeps an index: start the sink that "
            f"writes them, or `python -m consumer sink --rebuild --only-partitions {numbers}`"
        )


@contextmanager
def _open_index(sink: Layout) -> Iterator[Index]:
    try:
        with closing(Index(sink.index, read_only=True)) as index:
            yield index
    except sqlite3.OperationalError as exc:
        raise DatasetError(f"{sink.index}: {exc}. A sink may just be making it anew: try again") from exc
    except IndexDamagedError as exc:
        which = "" if sink.share.numbers is None else f" --only-partitions {sink.share}"
        raise DatasetError(
            f"{sink.index}: {exc}. Make it again with `python -m consumer sink --rebuild{which}`"
        ) from exc


def iter_outcomes(
    index: Index, files: SegmentFiles, promise: Promise, only: OutcomeFilter = "all"
) -> Iterator[tuple[Located, dict[str, Any]]]:
    """Yields the outcomes of a promise's chunks with their results as JSON. Raises IndexDamagedError."""
    for located in index.outcomes.of(promise, only):
        yield located, _read(index, files, promise, located)


def _read(index: Index, files: SegmentFiles, promise: Promise, located: Located) -> dict[str, Any]:
    """Returns the result. It is looked up again where a running sink has merged its segment meanwhile."""
    place: Located | None = located
    for _ in range(TRIES):
        try:
            return files.result(place or located)
        except IndexDamagedError:
            place = index.outcomes.at(promise, located.position)
    return files.result(place or located)
