"""The records of all topics. Offsets count characters of the decoded document; times are UTC."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .error_classes import ErrorClassName

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Version = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Message(BaseModel):
    """Unknown fields are ignored: a reader of today must survive the writer of tomorrow."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)


class Document(Message):
    id: Id
    source: str = Field(description="Name of the watched directory; part of the document's identity.")
    path: str = Field(description="Relative to the watched directory, with / between its parts.")
    version: Version = Field(description="Counts the contents this document had.")
    title: str = Field(default="", description="First heading, or empty.")


class Chunk(Message):
    """On qa.chunks: one piece of a document's text, to be answered once per generation and attempt."""

    schema_: Literal["qastream.chunk/1"] = Field(default="qastream.chunk/1", alias="schema")
    chunk_id: Id
    document: Document
    generation: Count = Field(default=0, description="Raised by regenerate; a newer one replaces an older one.")
    attempt: Count = Field(default=0, description="Raised by a replay from the dead letters.")
    sample: Count = Field(
        default=0, description="Raised by regenerate --fresh: answers of another sample don't count as known."
    )
    index: Count = Field(description="Position among the chunks of this version of the document.")
    start: Count
    end: Count
    headings: tuple[str, ...] = Field(default=(), description="Path of headings above the text, outermost first.")
    text: str
    content_key: Id


class FileState(StrEnum):
    PUBLISHING = "publishing"
    COMPLETE = "complete"
    ABANDONED = "abandoned"
    REJECTED = "rejected"
    VANISHED = "vanished"
    FORGOTTEN = "forgotten"


class CompleteVersion(Message):
    """What is known of a version of a document whose chunks are all published."""

    version: Version
    generation: Count = 0
    chunks: Count
    characters: Count
    size_bytes: Count
    sha256: Sha256
    encoding: str | None = None
    splitter: Id
    marks: str = Field(
        default="",
        description="What tells its chunks again, so that the next version keeps them: base64 of ten bytes for each. "
        "Empty where there are fewer than two chunks, or more than 4,096.",
    )


class LedgerEntry(Message):
    """On qa.files, compacted by document: how far its publication is, in one transaction with the chunks it counts."""

    schema_: Literal["qastream.file/1"] = Field(default="qastream.file/1", alias="schema")
    document: Document
    generation: Count = 0
    sample: Count = Field(default=0, description="That of its chunks; later versions keep it.")
    state: FileState
    size_bytes: Count
    mtime_ns: int = Field(ge=-(2**63), le=2**63 - 1)
    sha256: Sha256 | None = Field(default=None, description="Of the file's bytes; known once they are all read.")
    encoding: str | None = None
    splitter: Id = Field(description="Hash of the splitter's settings; others make another version.")
    next_byte: Count = Field(
        default=0,
        description="Bytes read so far. After a crash all are read again, and publishing goes on at next_char.",
    )
    next_char: Count = 0
    chunks: Count = Field(default=0, description="Published so far; all of them, once complete.")
    complete: CompleteVersion | None = Field(
        default=None, description="The newest complete version: compaction keeps one entry a document only."
    )
    reason: str | None = Field(default=None, description="Why it was rejected or abandoned.")
    updated_at: datetime


class Request(Message):
    """On qa.requests, under its id, until it is done: what the producer shall do with a document at its next look."""

    schema_: Literal["qastream.request/1"] = Field(default="qastream.request/1", alias="schema")
    request_id: Id
    action: Literal["regenerate", "forget", "retry"] = Field(description="retry: read a rejected file again.")
    fresh: bool = Field(default=False, description="regenerate: ask for new samples.")
    document: Document
    created_at: datetime


class PairType(StrEnum):
    FACTUAL = "factual"
    COMPARATIVE = "comparative"
    REASONING = "reasoning"
    OPEN = "open"


class Evidence(Message):
    """A verbatim quote: `document_text[start:end] == text`."""

    text: str
    start: Count
    end: Count


class Pair(Message):
    id: Id
    type: PairType
    question: str
    answer: str
    reasoning: str = ""
    evidence: tuple[Evidence, ...] = ()
    scores: dict[str, float] = Field(
        default_factory=dict,
        description="From 0 to 1: `question` and `answer` are weighted means, `answer.accuracy` one criterion's.",
    )
    language: str = Field(default="", description="zh or en.")
    thinking: str = Field(default="", description="A reasoning model's chain of thought before it gave this answer.")


class Reason(Message):
    check: str = Field(description="Name of the check that rejected the pair.")
    detail: str = ""


class RejectedPair(Message):
    pair: Pair
    reasons: tuple[Reason, ...]


class ChunkRef(Message):
    id: Id
    index: Count
    start: Count
    end: Count
    text: str
    headings: tuple[str, ...] = ()
    content_key: Id


class RecipeRef(Message):
    name: str
    hash: Id


class ModelRef(Message):
    name: str
    root: str = Field(default="", description="What the server says it loaded, from /v1/models.")
    endpoint: str = ""


class Usage(Message):
    """Model calls behind a result; `cached_calls` were answered without the server."""

    calls: Count = 0
    cached_calls: Count = 0
    prompt_tokens: Count = 0
    cached_prompt_tokens: Count = 0
    completion_tokens: Count = 0


class Timing(Message):
    """Milliseconds."""

    total_ms: float = Field(default=0.0, ge=0)
    model_ms: float = Field(default=0.0, ge=0)


class OutcomeError(Message):
    error_class: ErrorClassName
    message: str
    attempts: Count = 1


class Origin(Message):
    topic: str
    partition: Count
    offset: Count


class Status(StrEnum):
    OK = "ok"
    EMPTY = "empty"
    FAILED = "failed"


class Result(Message):
    """On qa.results and on disk: the one outcome of a chunk, per generation and attempt."""

    schema_: Literal["qastream.result/1"] = Field(default="qastream.result/1", alias="schema")
    record_id: Id
    status: Status
    document: Document
    chunk: ChunkRef
    generation: Count = 0
    attempt: Count = 0
    planned: dict[PairType, Count] = Field(
        default_factory=dict, description="Questions that the recipe wanted of this chunk."
    )
    asked: dict[PairType, Count] = Field(
        default_factory=dict,
        description="Questions that there were: as many as pairs and rejected together. None in a failed result.",
    )
    pairs: tuple[Pair, ...] = ()
    rejected: tuple[RejectedPair, ...] = ()
    skipped: Reason | None = Field(default=None, description="Why nothing was asked: the text did not pass.")
    text_scores: dict[str, float] = Field(default_factory=dict, description="Of the text, where a recipe judges it.")
    recipe: RecipeRef
    model: ModelRef
    judge: ModelRef | None = Field(default=None, description="The model that judged, if it was another one.")
    usage: Usage = Usage()
    timing: Timing = Timing()
    error: OutcomeError | None = None
    origin: Origin
    created_at: datetime


class Original(Message):
    """The record or file as it was: base64 of a prefix, and what identifies the whole."""

    base64: str
    size_bytes: Count
    sha256: Sha256 | None = None
    truncated: bool = False


class DeadLetter(Message):
    """On qa.dead-letters: what could not be processed, why, and how to find it."""

    schema_: Literal["qastream.dead-letter/1"] = Field(default="qastream.dead-letter/1", alias="schema")
    letter_id: Id
    kind: Literal["chunk", "file", "record"] = Field(description="record: one that could not be decoded.")
    reason: str
    error_class: ErrorClassName
    attempts: Count = 1
    document: Document | None = None
    chunk_id: Id | None = None
    generation: Count = 0
    attempt: Count = 0
    original: Original
    headers: dict[str, str] = Field(default_factory=dict)
    origin: Origin | None = None
    created_at: datetime


class ReplayMarker(Message):
    """On qa.dead-letters: a letter was published again, as this attempt."""

    schema_: Literal["qastream.replay/1"] = Field(default="qastream.replay/1", alias="schema")
    letter_id: Id
    attempt: Count
    created_at: datetime


def now() -> datetime:
    return datetime.now(UTC)
