"""The Parquet file of a document: a row for each pair, kept and rejected, in chunk order.

What the file was made of is in its metadata, under `qastream.document`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ledger.promise import Promise
from output.formats.pair_row import FEATURES, pair_row, rejection
from output.formats.parquet import has_rows, parquet_pieces, read_metadata
from output.index.tables import Index
from output.segments.lookup import SegmentFiles
from schemas import encode

PROMISE = "qastream.document"


def render_table(promise: Promise, index: Index, files: SegmentFiles) -> Iterator[bytes]:
    """The file in pieces. Raises IndexDamagedError."""
    return parquet_pieces(_rows(promise, index, files), FEATURES, _metadata(promise))


def read_table_promise(path: Path) -> Promise | None:
    """What a file in parquet/ was made of; None if there is none, or it is not one of ours."""
    try:
        return Promise.model_validate_json(read_metadata(path)[PROMISE])
    except (KeyError, ValidationError):
        return None


def table_is_current(path: Path, promise: Promise, index: Index, files: SegmentFiles) -> bool:
    return has_rows(path, _rows(promise, index, files), FEATURES, _metadata(promise))


def _metadata(promise: Promise) -> dict[str, str]:
    return {PROMISE: encode(promise).decode()}


def _rows(promise: Promise, index: Index, files: SegmentFiles) -> Iterator[dict[str, Any]]:
    for located in index.outcomes(promise):
        if located.pairs or located.rejected:
            result = files.result(located)
            for pair in result["pairs"]:
                yield _row(pair, result, None)
            for pair, reasons in map(rejection, result["rejected"]):
                yield _row(pair, result, reasons)


def _row(pair: dict[str, Any], result: dict[str, Any], reasons: tuple[str, ...] | None) -> dict[str, Any]:
    row = pair_row(pair, result, reasons)
    return row | {"scores": [{"name": name, "value": value} for name, value in sorted(row["scores"].items())]}
