"""Parquet, in pieces of bytes: the file is written as any other, and never held in memory. Needs pyarrow.

One row group for each `ROWS` rows. The same rows give the same bytes with the same pyarrow.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from configs.errors import SettingsError
from output.formats.features import Features, arrow_schema

ROWS = 1000
Row = dict[str, Any]


def has_pyarrow() -> bool:
    try:
        return find_spec("pyarrow") is not None
    except ImportError:
        return False


def check_pyarrow(asked: str) -> None:
    """Raises SettingsError where pyarrow is not there; `asked` is the flag that asks for it."""
    if not has_pyarrow():
        raise SettingsError(
            f"{asked} needs pyarrow, which is not installed: `.tools/bin/uv sync --inexact --extra parquet`, or "
            "`pip install pyarrow`"
        )


def load_pyarrow() -> None:
    """With pandas, where that is installed: it takes a second or more, in which nothing else of a process goes on."""
    import pyarrow as pa  # noqa: PLC0415 - an optional extra
    import pyarrow.parquet  # noqa: PLC0415

    pa.array([0])  # draws pandas in


def parquet_pieces(rows: Iterable[Row], features: Features, metadata: Mapping[str, str]) -> Iterator[bytes]:
    """The file of those rows."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - an optional extra

    schema, written = arrow_schema(features, metadata), _Written()
    writer = pq.ParquetWriter(written, schema, compression="zstd")
    for table in _tables(rows, schema):
        writer.write_table(table)
        yield written.taken()
    writer.close()
    yield written.taken()


def has_rows(path: Path, rows: Iterable[Row], features: Features, metadata: Mapping[str, str]) -> bool:
    """Whether a file has those rows, whichever pyarrow wrote it."""
    import pyarrow as pa  # noqa: PLC0415 - an optional extra
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema, count = arrow_schema(features, metadata), 0
    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema) or (file.schema_arrow.metadata or {}) != (schema.metadata or {}):
                return False
            for count, table in enumerate(_tables(rows, schema), start=1):
                if count > file.num_row_groups or not file.read_row_group(count - 1).equals(table):
                    return False
            return bool(count == file.num_row_groups)
    except (OSError, pa.ArrowException):
        return False


def read_metadata(path: Path) -> dict[str, str]:
    """What a file says of itself; nothing where it is not there or no Parquet."""
    if not path.exists():  # before a second of imports
        return {}
    import pyarrow as pa  # noqa: PLC0415 - an optional extra
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        found = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException):
        return {}
    return {name.decode(): value.decode() for name, value in found.items()}


def _tables(rows: Iterable[Row], schema: Any) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415 - an optional extra

    remaining = iter(rows)
    while batch := list(islice(remaining, ROWS)):
        yield pa.Table.from_pylist(batch, schema=schema)


class _Written:
    """A file for pyarrow that keeps what was written until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """There is nothing behind it."""

    def close(self) -> None:
        """At the end; the last piece is taken after that."""

    def taken(self) -> bytes:
        found = b"".join(self._pieces)
        self._pieces = []
        return found
