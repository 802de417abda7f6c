"""The records of all topics. `start` and `end` count characters of the decoded document. Times are UTC."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from .error_classes import ErrorClassName

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
MOST = 2**31 - 1
"""Greatest index, version, generation and attempt of a record, so that every reader can hold and count them."""
Count = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]
"""A size, an offset, or a number of tokens."""
Number = Annotated[int, Field(strict=True, ge=0, le=MOST)]
Version = Annotated[int, Field(strict=True, ge=1, le=MOST)]
Score = Annotated[float, Field(strict=True, ge=0, le=100)]
"""Scores of our recipes are at most 1; those of other programs may be marks."""
Milliseconds = Annotated[float, Field(strict=True, ge=0, le=2**53)]
BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"


class Message(BaseModel):
    """A record. Readers ignore unknown fields, so that a later version may add some."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)


class Document(Message):
    """Name and version of a document; a document is one text file."""

    id: Id
    source: str = Field(description="Name of the watched directory; part of the document's identity.")
    path: str = Field(description="Path relative to the watched directory, with / between its parts.")
    version: Version = Field(
        description="Number of this content, counted over all contents that the document has had, from 1."
    )
    title: str = Field(default="", description="The first heading; empty if there is none.")


class Chunk(Message):
    """A piece of a document's text on qa.chunks. It is answered once for each generation and attempt."""

    schema_: Literal["qastream.chunk/1"] = Field(default="qastream.chunk/1", alias="schema")
    chunk_id: Id
    document: Document
    generation: Number = Field(
        default=0,
        description="Counts the runs of regenerate. The results of a newer generation replace those of an older one.",
    )
    attempt: Number = Field(default=0, description="Counts the replays from the dead letters.")
    sample: Number = Field(
        default=0,
        description="Counts the runs of regenerate --fresh. The cache does not answer with completions of another "
        "sample.",
    )
    index: Number = Field(description="Position among the chunks of this version of the document.")
    start: Count
    end: Count
    headings: tuple[str, ...] = Field(default=(), description="Headings above the text, the outermost first.")
    text: str
    content_key: Id


class FileState(StrEnum):
    """State of a file in the ledger."""

    PUBLISHING = "publishing"
    COMPLETE = "complete"
    ABANDONED = "abandoned"
    REJECTED = "rejected"
    VANISHED = "vanished"
    FORGOTTEN = "forgotten"


class CompleteVersion(Message):
    """A version of a document whose chunks are all published."""

    version: Version
    generation: Number = 0
    chunks: Number
    characters: Count
    size_bytes: Count
    sha256: Sha256
    encoding: str | None = None
    splitter: Id
    marks: str = Field(
        default="",
        pattern=BASE64,
        description="Marks of the chunks, by which the next version recognises them: base64 of ten bytes for each "
        "chunk. "
        "It is empty with fewer than two chunks, or more than 4,096.",
    )


class LedgerEntry(Message):
    """The state of a document on qa.files, a compacted topic. It is written in one transaction with its chunks."""

    schema_: Literal["qastream.file/1"] = Field(default="qastream.file/1", alias="schema")
    document: Document
    generation: Number = 0
    sample: Number = Field(default=0, description="Sample number of its chunks; later versions keep it.")
    state: FileState
    size_bytes: Count
    mtime_ns: int = Field(strict=True, ge=-(2**63), le=2**63 - 1)
    sha256: Sha256 | None = Field(
        default=None, description="SHA-256 of the file's bytes, known when the whole file has been read."
    )
    encoding: str | None = None
    splitter: Id = Field(description="Hash of the splitter's settings. Other settings make another version.")
    next_byte: Count = Field(
        default=0,
        description="Number of bytes read so far. After a crash the file is read from its start, and publishing "
        "continues at "
        "next_char.",
    )
    next_char: Count = 0
    chunks: Number = Field(
        default=0, description="Number of chunks published so far; all chunks, in a complete version."
    )
    complete: CompleteVersion | None = Field(
        default=None, description="The newest complete version. Compaction keeps only one entry for a document."
    )
    reason: str | None = Field(default=None, description="Reason why the file was rejected or abandoned.")
    updated_at: AwareDatetime


class Request(Message):
    """An order to the producer about a document, on qa.requests. A record without a value says that it is done."""

    schema_: Literal["qastream.request/1"] = Field(default="qastream.request/1", alias="schema")
    request_id: Id
    action: Literal["regenerate", "forget", "retry"] = Field(description="retry reads a rejected file again.")
    fresh: bool = Field(strict=True, default=False, description="With regenerate: ask for new samples.")
    document: Document
    created_at: AwareDatetime


class PairType(StrEnum):
    """Kind of a question."""

    FACTUAL = "factual"
    COMPARATIVE = "comparative"
    REASONING = "reasoning"
    OPEN = "open"


class Evidence(Message):
    """A verbatim quote. `document_text[start:end] == text` holds."""

    text: str
    start: Count
    end: Count


class Pair(Message):
    """A question with its answer."""

    id: Id
    type: PairType
    question: str
    answer: str
    reasoning: str = ""
    evidence: tuple[Evidence, ...] = ()
    scores: dict[str, Score] = Field(
        default_factory=dict,
        description="Scores from 0 to 1. `question` and `answer` are weighted means; `answer.accuracy` is one "
        "criterion.",
    )
    language: str = Field(default="", description="zh or en.")
    thinking: str = Field(default="", description="A reasoning model's chain of thought before it gave this answer.")


class Reason(Message):
    """A reason for a rejection."""

    check: str = Field(description="Name of the check that rejected the pair or the text.")
    detail: str = ""


class RejectedPair(Message):
    """A pair that checks, gates or the judge rejected, with the reasons."""

    pair: Pair
    reasons: tuple[Reason, ...]


class ChunkRef(Message):
    """The chunk that a result answers."""

    id: Id
    index: Number
    start: Count
    end: Count
    text: str
    headings: tuple[str, ...] = ()
    content_key: Id


class RecipeRef(Message):
    """The recipe that made a result."""

    name: str
    hash: Id


class ModelRef(Message):
    """A model at a server."""

    name: str
    root: str = Field(default="", description="The model that the server has loaded, as /v1/models says.")
    endpoint: str = ""


class Usage(Message):
    """The model calls for a result. The cache answered `cached_calls` of them."""

    calls: Count = 0
    cached_calls: Count = 0
    prompt_tokens: Count = 0
    cached_prompt_tokens: Count = 0
    completion_tokens: Count = 0


class Timing(Message):
    """Time spent on a result, in milliseconds."""

    total_ms: Milliseconds = 0.0
    model_ms: Milliseconds = 0.0


class OutcomeError(Message):
    """The error of a failed result."""

    error_class: ErrorClassName
    message: str
    attempts: Number = 1


class Origin(Message):
    """Place of a record in Kafka."""

    topic: str
    partition: Number
    offset: Count


class Status(StrEnum):
    """Outcome of a chunk: it has pairs, it has none, or it failed."""

    OK = "ok"
    EMPTY = "empty"
    FAILED = "failed"


class Result(Message):
    """The outcome of a chunk, on qa.results and on disk. There is one for each generation and attempt."""

    schema_: Literal["qastream.result/1"] = Field(default="qastream.result/1", alias="schema")
    record_id: Id
    status: Status
    document: Document
    chunk: ChunkRef
    generation: Number = 0
    attempt: Number = 0
    planned: dict[PairType, Number] = Field(
        default_factory=dict, description="Numbers of questions that the recipe planned for this chunk."
    )
    asked: dict[PairType, Number] = Field(
        default_factory=dict,
        description="Numbers of questions that were asked: as many as pairs and rejected ones together. Empty in a "
        "failed "
        "result.",
    )
    pairs: tuple[Pair, ...] = ()
    rejected: tuple[RejectedPair, ...] = ()
    skipped: Reason | None = Field(
        default=None, description="Reason why nothing was asked: the text gate rejected the text."
    )
    text_scores: dict[str, Score] = Field(
        default_factory=dict, description="Scores of the text, if the recipe has a text gate."
    )
    recipe: RecipeRef
    model: ModelRef
    judge: ModelRef | None = Field(default=None, description="The model that judged, if it was another model.")
    usage: Usage = Usage()
    timing: Timing = Timing()
    error: OutcomeError | None = None
    origin: Origin
    created_at: AwareDatetime


class Original(Message):
    """The record or file that failed: base64 of its first bytes, with size and hash of the whole."""

    base64: str
    size_bytes: Count
    sha256: Sha256 | None = None
    truncated: bool = Field(strict=True, default=False)


class DeadLetter(Message):
    """A record or file that could not be processed, on qa.dead-letters, with the reason and its place."""

    schema_: Literal["qastream.dead-letter/1"] = Field(default="qastream.dead-letter/1", alias="schema")
    letter_id: Id
    kind: Literal["chunk", "file", "record"] = Field(description="record means a record that could not be decoded.")
    reason: str
    error_class: ErrorClassName
    attempts: Number = 1
    document: Document | None = None
    chunk_id: Id | None = None
    generation: Number = 0
    attempt: Number = 0
    original: Original
    headers: dict[str, str] = Field(default_factory=dict)
    origin: Origin | None = None
    created_at: AwareDatetime


class ReplayMarker(Message):
    """A note on qa.dead-letters that a letter has been replayed, as this attempt."""

    schema_: Literal["qastream.replay/1"] = Field(default="qastream.replay/1", alias="schema")
    letter_id: Id
    attempt: Number
    created_at: AwareDatetime


def now() -> datetime:
    return datetime.now(UTC)
