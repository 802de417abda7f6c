"""The file of a document: JSON, laid out so that its first line is its head and each pair has a line of its own.

{"schema", "document", "generation", "sha256", "encoding", "chunks", "complete": true,
"pairs": [in chunk order; each with its chunk's id and index],
"rejected": [pair, reasons, chunk],
"failed": [id and index of a chunk, its error]}
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from ledger.promise import Promise
from output.index.tables import Index
from output.segments.lookup import SegmentFiles
from schemas import Document

SCHEMA = "qastream.document/1"
MAX_HEAD_BYTES = 64 * 1024


def render(promise: Promise, index: Index, files: SegmentFiles) -> Iterator[bytes]:
    """The file in pieces, each of a record at most. Raises IndexDamagedError."""
    yield orjson.dumps(_head(promise, _document(promise, index, files)))[:-1] + b","
    yield from _array("pairs", _pairs(promise, index, files))
    yield b","
    yield from _array("rejected", _rejected(promise, index, files))
    yield b","
    yield from _array("failed", _failed(promise, index, files))
    yield b"}\n"


def document_is_current(path: Path, promise: Promise, index: Index, files: SegmentFiles) -> bool:
    """Whether the file is there with every byte as `render` makes it."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with file:
        same = all(file.read(len(piece)) == piece for piece in render(promise, index, files))
        return same and not file.read(1)


def read_promise(path: Path) -> Promise | None:
    """What a file in documents/ was made of; None if there is none, or it is not one of ours."""
    try:
        with path.open("rb") as file:
            line = file.readline(MAX_HEAD_BYTES)
        head = orjson.loads(line.removesuffix(b",\n") + b"}")
        return Promise.model_validate(head) if head["schema"] == SCHEMA else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _head(promise: Promise, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "document": document,
        "generation": promise.generation,
        "sha256": promise.sha256,
        "encoding": promise.encoding,
        "chunks": promise.chunks,
        "complete": True,
    }


def _document(promise: Promise, index: Index, files: SegmentFiles) -> dict[str, Any]:
    """As its results call it: the ledger may know a title of a later version only."""
    first = next(index.outcomes(promise), None)
    described = promise.document if first is None else Document.model_validate(files.result(first)["document"])
    return described.model_dump(mode="json")


def _array(name: str, items: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    yield b'\n"%s":[' % name.encode()
    separator = b"\n"
    for item in items:
        yield separator + orjson.dumps(item)
        separator = b",\n"
    yield b"\n]"


def _pairs(promise: Promise, index: Index, files: SegmentFiles) -> Iterator[dict[str, Any]]:
    for located in index.outcomes(promise, "pairs"):
        result = files.result(located)
        for pair in result["pairs"]:
            yield pair | {"chunk": _chunk(result)}


def _rejected(promise: Promise, index: Index, files: SegmentFiles) -> Iterator[dict[str, Any]]:
    for located in index.outcomes(promise, "rejected"):
        result = files.result(located)
        for rejected in result["rejected"]:
            yield rejected | {"chunk": _chunk(result)}


def _failed(promise: Promise, index: Index, files: SegmentFiles) -> Iterator[dict[str, Any]]:
    for located in index.outcomes(promise, "failed"):
        result = files.result(located)
        yield _chunk(result) | {"error": result.get("error")}


def _chunk(result: dict[str, Any]) -> dict[str, Any]:
    return {"id": result["chunk"]["id"], "index": result["chunk"]["index"]}
