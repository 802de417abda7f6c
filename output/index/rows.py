"""Values that the index takes and gives."""

from dataclasses import dataclass

from ledger.promise import Promise
from output.segments.naming import Segment
from schemas import Status


@dataclass(frozen=True, slots=True)
class Located:
    """The last outcome of a chunk; `start` and `length` are the bytes of its line in the segment."""

    position: int
    record_id: str
    status: Status
    pairs: int
    rejected: int
    segment: Segment
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Answers:
    """`chunks` counts promised chunks that have an outcome, `replaced` outcomes that a later attempt has replaced."""

    chunks: int = 0
    replaced: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A complete document. `name` is its file in documents/, if a file was written.

    `formats` are the formats whose files are of this promise; other formats may have a file of an earlier promise.
    `replaced` counts outcomes that later attempts had replaced when the files were written.
    `failed` counts chunks, `pairs` and `rejected` count pairs.
    """

    promise: Promise
    name: str | None
    formats: frozenset[str]
    replaced: int
    pairs: int
    rejected: int
    failed: int


@dataclass(frozen=True, slots=True)
class IndexTotals:
    """Numbers over a whole index.

    `documents` counts complete documents, `pairs` their kept pairs, and `waiting` the documents whose newest promised
    version is not complete yet.
    """

    records: int
    undecodable: int
    documents: int
    pairs: int
    waiting: int
