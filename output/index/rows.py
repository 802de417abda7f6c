"""Defines the values that the index takes and gives."""

from dataclasses import dataclass

from ledger.promise import Promise
from output.segments.naming import Segment
from schemas import Status


@dataclass(frozen=True, slots=True)
class Located:
    """The last outcome of a chunk is in `segment`, where its line has `length` bytes from byte `start` on."""

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

    `formats` names the formats whose files are of this promise; other files may be older. `replaced` counts outcomes
    that later attempts had replaced when the files were written. `failed` counts chunks, `pairs` and `rejected` pairs.
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
    """`documents` counts complete documents, `pairs` their kept pairs, `waiting` documents that are promised only."""

    records: int
    undecodable: int
    documents: int
    pairs: int
    waiting: int
