"""The pairs that count: of each document's newest complete version, by the last attempt at each chunk."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from consumer.dataset.errors import DatasetError, NothingThereError
from consumer.sink.errors import IndexDamagedError
from consumer.sink.index import Index
from consumer.sink.layout import Layout
from consumer.sink.ledger import Promise
from consumer.sink.pair_row import rejection
from consumer.sink.reading import SegmentFiles
from consumer.sink.rows import Located

TRIES = 3


@dataclass(frozen=True, slots=True)
class ExportedPair:
    """A pair as JSON, and the record it is from. `reasons` are the checks that rejected it; None: it is kept."""

    pair: dict[str, Any]
    result: dict[str, Any]
    reasons: tuple[str, ...] | None = None

    @property
    def status(self) -> str:
        return "kept" if self.reasons is None else "rejected"


def iter_pairs(layout: Layout, *, rejected: bool = False) -> Iterator[ExportedPair]:
    """Kept pairs, or also those that the checks rejected.

    By source, path, chunk and position in it: the same data come in the same order. A sink may run meanwhile.

    Raises NothingThereError and DatasetError.
    """
    if not layout.index.exists():
        raise NothingThereError(
            f"{layout.root} has no index ({layout.index}): no sink has written here. If results/ has segments, "
            "make it again with `python -m consumer sink --rebuild`"
        )
    try:
        with closing(Index(layout.index, read_only=True)) as index, SegmentFiles(layout.results) as files:
            for written in index.all_written():
                for located in index.outcomes(written.promise, "all" if rejected else "pairs"):
                    if located.pairs or located.rejected:
                        yield from _pairs(_read(index, files, written.promise, located), rejected=rejected)
    except IndexDamagedError as exc:
        raise DatasetError(f"{layout.index}: {exc}. Make it again with `python -m consumer sink --rebuild`") from exc


def _pairs(result: dict[str, Any], *, rejected: bool) -> Iterator[ExportedPair]:
    yield from (ExportedPair(pair, result) for pair in result["pairs"])
    if rejected:
        for refused in result["rejected"]:
            pair, reasons = rejection(refused)
            yield ExportedPair(pair, result, reasons)


def _read(index: Index, files: SegmentFiles, promise: Promise, located: Located) -> dict[str, Any]:
    """The record; looked up again when a running sink has merged its segment away."""
    place: Located | None = located
    for _ in range(TRIES):
        try:
            return files.result(place or located)
        except IndexDamagedError:
            place = index.outcome(promise, located.position)
    return files.result(place or located)
