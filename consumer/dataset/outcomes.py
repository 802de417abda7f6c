"""The outcomes that count: of each document's newest complete version, the last attempt at each chunk."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from consumer.dataset.errors import DatasetError, NothingThereError
from consumer.sink.errors import IndexDamagedError
from consumer.sink.index import Index, Part
from consumer.sink.layout import Layout
from consumer.sink.ledger import Promise
from consumer.sink.reading import SegmentFiles
from consumer.sink.rows import Located

TRIES = 3


@contextmanager
def open_index(layout: Layout) -> Iterator[Index]:
    """The sink's index, to read; a sink may run meanwhile. Raises NothingThereError and DatasetError."""
    if not layout.index.exists():
        raise NothingThereError(
            f"{layout.root} has no index ({layout.index}): no sink has written here. If results/ has segments, "
            "make it again with `python -m consumer sink --rebuild`"
        )
    try:
        with closing(Index(layout.index, read_only=True)) as index:
            yield index
    except IndexDamagedError as exc:
        raise DatasetError(f"{layout.index}: {exc}. Make it again with `python -m consumer sink --rebuild`") from exc


def iter_outcomes(
    index: Index, files: SegmentFiles, promise: Promise, part: Part = "all"
) -> Iterator[tuple[Located, dict[str, Any]]]:
    """Records of one document as JSON, in the order of its chunks. Raises IndexDamagedError."""
    for located in index.outcomes(promise, part):
        yield located, _read(index, files, promise, located)


def _read(index: Index, files: SegmentFiles, promise: Promise, located: Located) -> dict[str, Any]:
    """The record; looked up again when a running sink has merged its segment away."""
    place: Located | None = located
    for _ in range(TRIES):
        try:
            return files.result(place or located)
        except IndexDamagedError:
            place = index.outcome(promise, located.position)
    return files.result(place or located)
