"""What is made of a complete document: its JSON file, its Parquet file. Chosen by --formats."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ledger.promise import Promise
from output.formats.json_file import document_is_current, read_promise, render
from output.formats.parquet import check_pyarrow, has_pyarrow
from output.formats.parquet_file import read_table_promise, render_table, table_is_current
from output.index.tables import Index
from output.layout import Layout
from output.names import PARQUET_SUFFIX, SUFFIX
from output.segments.lookup import SegmentFiles

Render = Callable[[Promise, Index, SegmentFiles], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Derived:
    """A kind of file, below `folder`; `suffix` stands in place of that of the document's name."""

    format: str
    folder: Path
    suffix: str
    render: Render
    promise_in: Callable[[Path], Promise | None]
    is_current: Callable[[Path, Promise, Index, SegmentFiles], bool]

    def path(self, name: str | PurePosixPath) -> Path:
        return self.folder / f"{str(name).removesuffix(SUFFIX)}{self.suffix}"


def derived_by(layout: Layout, formats: tuple[str, ...]) -> tuple[Derived, ...]:
    """Raises SettingsError where pyarrow is asked for and not there."""
    if "parquet" in formats:
        check_pyarrow("--formats parquet")
    kinds = _kinds(layout)
    return tuple(kinds[name] for name in dict.fromkeys(formats))


def readable(layout: Layout) -> tuple[Derived, ...]:
    """All kinds; Parquet only where pyarrow is there."""
    return tuple(kind for name, kind in _kinds(layout).items() if name != "parquet" or has_pyarrow())


def _kinds(layout: Layout) -> dict[str, Derived]:
    return {
        "documents": Derived("documents", layout.documents, SUFFIX, render, read_promise, document_is_current),
        "parquet": Derived(
            "parquet", layout.parquet, PARQUET_SUFFIX, render_table, read_table_promise, table_is_current
        ),
    }
