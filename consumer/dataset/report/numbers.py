"""Defines the numbers of a report: the fields of its JSON file, and the content of its page."""

from dataclasses import dataclass, field
from typing import Any

from consumer.dataset.report.spread import Spread

SCHEMA = "qastream.report/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A document is unfinished while its newest version is reading, waiting or rejected (`state`)."""

    document: str
    state: str
    answered: int = 0
    chunks: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentNumbers:
    """The report is about the `complete` documents; `unfinished` names the first of the others."""

    complete: int
    with_failed_chunks: int
    waiting: int
    reading: int
    rejected: int
    unfinished: tuple[Unfinished, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedChunk:
    """A chunk failed at position `index` in its document."""

    document: str
    index: int
    error_class: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkNumbers:
    """`errors` counts failed chunks by class, `failures` names some; `skipped` counts texts that failed a check."""

    total: int
    ok: int
    empty: int
    failed: int
    skipped: dict[str, int]
    errors: dict[str, int]
    failures: tuple[FailedChunk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairNumbers:
    """Recipes have `planned` pairs of one type or language; `asked` ones came, which are kept or rejected.

    `planned_share` and `kept_share` are shares of all planned and kept pairs; `passed` is the share of kept in asked
    pairs. A share of nothing is None.
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
    """The cost is in the currency of the prices, which are for a million tokens."""

    price_prompt: float
    price_completion: float
    total: float
    per_pair: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageNumbers:
    """Calls and tokens are those of the outcomes in the report; `per_pair` counts tokens for a kept pair."""

    calls: int
    cached_calls: int
    prompt_tokens: int
    cached_prompt_tokens: int
    completion_tokens: int
    per_pair: float | None
    cost: Cost | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDocument:
    """A document took `seconds` for its chunks, of which `model_seconds` in model calls, summed over them."""

    document: str
    chunks: int
    pairs: int
    seconds: float
    model_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A model, judge or recipe (`kind`) made these chunks. `detail` is the loaded model, or the recipe's hash."""

    kind: str
    name: str
    detail: str
    chunks: int
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPair:
    """The page shows a kept pair with `text`, its chunk, which begins at character `start` of the document."""

    document: str
    headings: tuple[str, ...]
    chunk_index: int
    pair: dict[str, Any]
    text: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRejection:
    """The page shows a rejected pair; `detail` says what the check found."""

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
    pairs: PairNumbers
    types: tuple[PairNumbers, ...]
    languages: tuple[PairNumbers, ...]
    plan_is_known: bool
    rejections: dict[str, int]
    scores: dict[str, Spread]
    lengths: dict[str, Spread]
    usage: UsageNumbers
    slowest: tuple[SlowDocument, ...]
    made_with: tuple[Made, ...]
    sample: tuple[ShownPair, ...]
    rejected_sample: dict[str, tuple[ShownRejection, ...]]
