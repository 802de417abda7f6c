"""What a report says: its JSON field by field, and all that its page shows."""

from dataclasses import dataclass, field
from typing import Any

from consumer.dataset.report.spread import Spread

SCHEMA = "qastream.report/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A document without a complete version of what the ledger promises. `state`: reading, waiting, rejected."""

    document: str
    state: str
    answered: int = 0
    chunks: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentNumbers:
    """`complete` ones are what the other numbers are about; the first of the others are named."""

    complete: int
    with_failed_chunks: int
    waiting: int
    reading: int
    rejected: int
    unfinished: tuple[Unfinished, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedChunk:
    document: str
    index: int
    error_class: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkNumbers:
    """`errors` are failed ones by class, of which the first are named; `skipped` empty ones whose text did not pass."""

    total: int
    ok: int
    empty: int
    failed: int
    skipped: dict[str, int]
    errors: dict[str, int]
    failures: tuple[FailedChunk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Pairs of one type or language. `planned` is what recipes wanted, `asked` what came: kept and rejected.

    Shares are of all pairs, `passed` is kept in asked; None: of nothing.
    """

    name: str
    planned: int
    asked: int
    kept: int
    rejected: int
    planned_share: float | None
    kept_share: float | None
    passed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """In the currency of the prices, which are for a million tokens."""

    price_prompt: float
    price_completion: float
    total: float
    per_pair: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageNumbers:
    """Of the outcomes that count here. `per_pair` are prompt and completion tokens for a kept pair."""

    calls: int
    cached_calls: int
    prompt_tokens: int
    cached_prompt_tokens: int
    completion_tokens: int
    per_pair: float | None
    cost: Cost | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDocument:
    """Seconds from taking up a chunk to its outcome, and of these with the model, summed over its chunks."""

    document: str
    chunks: int
    pairs: int
    seconds: float
    model_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """With one model, judge or recipe (`kind`). `detail` is what the server loaded, or the recipe's hash."""

    kind: str
    name: str
    detail: str
    chunks: int
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPair:
    """`text` is its chunk's, which begins at character `start` of the document."""

    document: str
    headings: tuple[str, ...]
    chunk_index: int
    pair: dict[str, Any]
    text: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRejection:
    """`detail` is what the check found."""

    document: str
    chunk_index: int
    pair: dict[str, Any]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    schema: str = field(default=SCHEMA, init=False)
    output_dir: str
    made_at: str
    documents: DocumentNumbers
    chunks: ChunkNumbers
    pairs: Group
    types: tuple[Group, ...]
    languages: tuple[Group, ...]
    plan_is_known: bool
    rejections: dict[str, int]
    scores: dict[str, Spread]
    lengths: dict[str, Spread]
    usage: UsageNumbers
    slowest: tuple[SlowDocument, ...]
    made_with: tuple[Made, ...]
    sample: tuple[ShownPair, ...]
    rejected_sample: dict[str, tuple[ShownRejection, ...]]
