"""What the index keeps, as values."""

from dataclasses import dataclass

from ledger.promise import Promise
from output.segments.naming import Segment
from schemas import Result, Status


@dataclass(frozen=True, slots=True)
class Head:
    """Of a result, as it is taken in. `position` is the chunk's index in its document."""

    document: str
    version: int
    generation: int
    position: int
    attempt: int
    record_id: str
    status: Status
    pairs: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Located:
    """The last outcome of a chunk, and the bytes of its line in a segment."""

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
    """Of the promised chunks; `replaced` counts outcomes of earlier attempts."""

    chunks: int = 0
    replaced: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A complete document; `name` is its file in documents/ if one was written. Counts are of pairs and chunks.

    `formats` are those of its files that are of this promise: others may be there, of an earlier one.
    `replaced` is how many outcomes had been replaced by later attempts when it was written.
    """

    promise: Promise
    name: str | None
    formats: frozenset[str]
    replaced: int
    pairs: int
    rejected: int
    failed: int


@dataclass(frozen=True, slots=True)
class Totals:
    """`documents` are complete ones, `pairs` theirs; `waiting` those that the ledger promises and that are not yet."""

    records: int
    undecodable: int
    documents: int
    pairs: int
    waiting: int


def head_of(result: Result) -> Head:
    return Head(
        document=result.document.id,
        version=result.document.version,
        generation=result.generation,
        position=result.chunk.index,
        attempt=result.attempt,
        record_id=result.record_id,
        status=result.status,
        pairs=len(result.pairs),
        rejected=len(result.rejected),
    )
