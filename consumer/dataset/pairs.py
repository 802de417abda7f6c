"""Reads the pairs that count, from the last attempt at each chunk of a document's newest complete version."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consumer.dataset.outcomes import all_written, iter_outcomes, open_indexes
from output.formats.pair_row import rejection
from output.layout import Layout
from output.segments.lookup import SegmentFiles


@dataclass(frozen=True, slots=True)
class ExportedPair:
    """A pair belongs to a result, both as JSON. `reasons` names the checks that rejected it; None: it is kept."""

    pair: dict[str, Any]
    result: dict[str, Any]
    reasons: tuple[str, ...] | None = None

    @property
    def status(self) -> str:
        return "kept" if self.reasons is None else "rejected"


def iter_pairs(layout: Layout, *, rejected: bool = False) -> Iterator[ExportedPair]:
    """Yields all kept pairs, and with `rejected` also the pairs that the checks rejected.

    They are ordered by source, path, chunk and position in the chunk. Raises NothingThereError and DatasetError.
    """
    with open_indexes(layout) as indexes, SegmentFiles(layout.results) as files:
        for index, written in all_written(indexes):
            for located, result in iter_outcomes(index, files, written.promise, "all" if rejected else "pairs"):
                if located.pairs or located.rejected:
                    yield from _pairs(result, rejected=rejected)


def _pairs(result: dict[str, Any], *, rejected: bool) -> Iterator[ExportedPair]:
    yield from (ExportedPair(pair, result) for pair in result["pairs"])
    if rejected:
        for refused in result["rejected"]:
            pair, reasons = rejection(refused)
            yield ExportedPair(pair, result, reasons)
