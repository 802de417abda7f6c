"""Writes the Parquet file of a document, with a row for each kept or rejected pair in chunk order.

Its metadata has the promise that the file was made of, under `qastream.document`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ledger.promise import Promise
from output.formats.derived import Derived
from output.formats.pair_row import FEATURES, pair_row, rejection
from output.formats.parquet_io import check_pyarrow, has_rows, load_pyarrow, parquet_pieces, read_metadata
from output.index.tables import Index
from output.segments.lookup import SegmentFiles
from schemas import encode

PROMISE = "qastream.document"


class ParquetFiles(Derived):
    """Files of this format are parquet/<path>.parquet."""

    name = "parquet"
    folder = "parquet"
    suffix = ".parquet"

    def check(self) -> None:
        check_pyarrow("--formats parquet")

    def load(self) -> None:
        load_pyarrow()

    def render(self, promise: Promise, index: Index, files: SegmentFiles) -> Iterator[bytes]:
        return parquet_pieces(_rows(promise, index, files), FEATURES, _metadata(promise))

    def promise_in(self, path: Path) -> Promise | None:
        try:
            return Promise.model_validate_json(read_metadata(path)[PROMISE])
        except (KeyError, ValidationError):
            return None

    def is_current(self, path: Path, promise: Promise, index: Index, files: SegmentFiles) -> bool:
        return has_rows(path, _rows(promise, index, files), FEATURES, _metadata(promise))


def _metadata(promise: Promise) -> dict[str, str]:
    return {PROMISE: encode(promise).decode()}


def _rows(promise: Promise, index: Index, files: SegmentFiles) -> Iterator[dict[str, Any]]:
    for located in index.outcomes.of(promise):
        if located.pairs or located.rejected:
            result = files.result(located)
            for pair in result["pairs"]:
                yield _row(pair, result, None)
            for pair, reasons in map(rejection, result["rejected"]):
                yield _row(pair, result, reasons)


def _row(pair: dict[str, Any], result: dict[str, Any], reasons: tuple[str, ...] | None) -> dict[str, Any]:
    row = pair_row(pair, result, reasons)
    return row | {"scores": [{"name": name, "value": value} for name, value in sorted(row["scores"].items())]}
