"""Writes the JSON file of a document. Its first line is the head, and each pair has a line of its own.

{"schema", "document", "generation", "sha256", "encoding", "chunks", "complete": true,
"pairs": [in chunk order; each with its chunk's id and index],
"rejected": [pair, reasons, chunk],
"failed": [id and index of a chunk, its error]}
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import orjson

from ledger.promise import Promise
from output.formats.derived import Derived
from output.index.tables import Index
from output.segments.lookup import SegmentFiles
from schemas import Document
from schemas.topics import MAX_MESSAGE_BYTES

SCHEMA = "qastream.document/1"
MAX_HEAD_BYTES = MAX_MESSAGE_BYTES
"""A head is smaller than the record that its document, with a title of any length, comes from."""
ArrayName = Literal["pairs", "rejected", "failed"]
ARRAYS: tuple[ArrayName, ...] = ("pairs", "rejected", "failed")


class JsonFiles(Derived):
    """Files of this format are documents/<path>.json."""

    name = "documents"
    folder = "documents"
    suffix = ".json"

    def render(self, promise: Promise, index: Index, files: SegmentFiles) -> Iterator[bytes]:
        yield orjson.dumps(_head(promise, _document(promise, index, files)))[:-1]
        for name in ARRAYS:
            yield b","
            yield from _array(name, _items(name, promise, index, files))
        yield b"}\n"

    def promise_in(self, path: Path) -> Promise | None:
        try:
            with path.open("rb") as file:
                line = file.readline(MAX_HEAD_BYTES)
            head = orjson.loads(line.removesuffix(b",\n") + b"}")
            return Promise.model_validate(head) if head["schema"] == SCHEMA else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def is_current(self, path: Path, promise: Promise, index: Index, files: SegmentFiles) -> bool:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            same = all(file.read(len(piece)) == piece for piece in self.render(promise, index, files))
            return same and not file.read(1)


def _head(promise: Promise, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": SCHEMA, "document": document, "generation": promise.generation, "sha256": promise.sha256,
        "encoding": promise.encoding, "chunks": promise.chunks, "complete": True,
    }  # fmt: skip


def _document(promise: Promise, index: Index, files: SegmentFiles) -> dict[str, Any]:
    """Returns the document as its results describe it: the ledger may have the title of a later version."""
    first = next(index.outcomes.of(promise), None)
    described = promise.document if first is None else Document.model_validate(files.result(first)["document"])
    return described.model_dump(mode="json")


def _array(name: str, items: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    yield b'\n"%s":[' % name.encode()
    separator = b"\n"
    for item in items:
        yield separator + orjson.dumps(item)
        separator = b",\n"
    yield b"\n]"


def _items(name: ArrayName, promise: Promise, index: Index, files: SegmentFiles) -> Iterator[dict[str, Any]]:
    for located in index.outcomes.of(promise, name):
        result = files.result(located)
        chunk = {"id": result["chunk"]["id"], "index": result["chunk"]["index"]}
        if name == "failed":
            yield chunk | {"error": result.get("error")}
        else:
            yield from (item | {"chunk": chunk} for item in result[name])
