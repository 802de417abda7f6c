"""Writes and compares Parquet files with pyarrow, in pieces, so that no file has to fit into memory.

A row group has `ROWS` rows. The same rows give the same bytes with the same version of pyarrow.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from io import RawIOBase
from itertools import islice
from pathlib import Path
from typing import Any

from configs.errors import SettingsError
from output.formats.features import Features, arrow_schema

ROWS = 1000
Row = dict[str, Any]


def check_pyarrow(asked: str) -> None:
    """Raises SettingsError where pyarrow is not installed; `asked` is the flag that needs it."""
    with suppress(ImportError):
        if find_spec("pyarrow"):
            return
    raise SettingsError(
        f"{asked} needs pyarrow, which is not installed: `.tools/bin/uv sync --inexact --extra parquet`, or "
        "`pip install pyarrow`"
    )


def load_pyarrow() -> None:
    """Imports pyarrow, and pandas where it is installed. This takes a second or more and blocks an event loop."""
    import pyarrow as pa  # noqa: PLC0415 - an optional extra
    import pyarrow.parquet  # noqa: PLC0415

    pa.array([0])  # imports pandas


def parquet_pieces(rows: Iterable[Row], features: Features, metadata: Mapping[str, str]) -> Iterator[bytes]:
    """Yields the Parquet file of `rows`, in pieces."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - an optional extra

    schema, written = arrow_schema(features, metadata), _Written()
    writer = pq.ParquetWriter(written, schema, compression="zstd")
    for table in _tables(rows, schema):
        writer.write_table(table)
        yield written.taken()
    writer.close()
    yield written.taken()


def has_rows(path: Path, rows: Iterable[Row], features: Features, metadata: Mapping[str, str]) -> bool:
    """Tells whether the file at `path` has this content, whichever version of pyarrow wrote it."""
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
    """Returns the metadata of the Parquet file at `path`; empty where there is no such file."""
    if not path.exists():  # the imports take a second
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


class _Written(RawIOBase):
    """Keeps the bytes that pyarrow writes until they are taken."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._size = 0

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def writable(self) -> bool:
        return True

    def taken(self) -> bytes:
        found = b"".join(self._pieces)
        self._pieces = []
        return found
