"""Reads single records from segments, at the places that the index has for them."""

from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import orjson

from output.errors import IndexDamagedError
from output.index.rows import Located
from output.segments.lines import from_line
from output.segments.naming import Segment

OPEN_FILES = 16


class SegmentFiles:
    """Opens segments when they are needed. Some stay open, since neighbours tend to be in one segment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[Segment, IO[bytes]] = OrderedDict()

    def result(self, located: Located) -> dict[str, Any]:
        """Returns a record as JSON, with all its fields. Raises IndexDamagedError where it is not at its place."""
        try:
            file = self._file(located.segment)
        except FileNotFoundError as exc:
            raise IndexDamagedError(f"results/{located.segment.name} is gone") from exc
        file.seek(located.start)
        return _parsed(file.read(located.length), located)

    def _file(self, segment: Segment) -> IO[bytes]:
        if segment not in self._open:
            self._open[segment] = (self._folder / segment.name).open("rb")
            if len(self._open) > OPEN_FILES:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(segment)
        return self._open[segment]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        for file in self._open.values():
            file.close()


def _parsed(line: bytes, located: Located) -> dict[str, Any]:
    try:
        result: dict[str, Any] = orjson.loads(from_line(line) or b"")
        found = result["record_id"]
        result.setdefault("pairs", [])
        result.setdefault("rejected", [])
    except (orjson.JSONDecodeError, KeyError, TypeError) as exc:
        raise IndexDamagedError(f"no record at byte {located.start} of results/{located.segment.name}") from exc
    if found != located.record_id:
        raise IndexDamagedError(f"another record at byte {located.start} of results/{located.segment.name}")
    return result
