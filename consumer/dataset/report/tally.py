"""Counts outcomes one by one, in memory that does not grow with their number."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from consumer.dataset.report import numbers
from consumer.dataset.report.groups import Groups, ratio
from consumer.dataset.report.sampling import Sampler
from consumer.dataset.report.spread import Spread, spread_of

SHOWN_PAIRS = 20
SLOWEST = 10
NAMED = 20
SCORE_UNIT = 0.01
SCORE_SCALE = range(0, 101, 10)
"""A bar for each tenth, so that the plots of different scores can be compared."""
REJECTED_EXAMPLES = 2
"""Number of rejected pairs that are shown for each check."""
LENGTHS = ("question", "answer", "evidence", "chunk")
COUNTS = ("calls", "cached_calls", "prompt_tokens", "cached_prompt_tokens", "completion_tokens")
KINDS = ("model", "judge", "recipe")
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices are for a million tokens."""

    prompt: float
    completion: float


@dataclass(slots=True)
class ReportTally:
    """`take` every outcome of a document, then call `end_document`."""

    seed: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    failures: list[numbers.FailedChunk] = field(default_factory=list)
    types: Groups = field(default_factory=Groups)
    languages: Groups = field(default_factory=Groups)
    plan_is_known: bool = False
    skipped: Counter[str] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)
    usage: Counter[str] = field(default_factory=Counter)
    slowest: list[numbers.SlowDocument] = field(default_factory=list)
    _lengths: dict[str, Counter[int]] = field(default_factory=lambda: {name: Counter() for name in LENGTHS})
    _scores: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    _made: defaultdict[tuple[str, str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _sampler: Sampler[numbers.ShownPair] = field(init=False)
    _rejected: dict[str, Sampler[numbers.ShownRejection]] = field(default_factory=dict)
    _document: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._sampler = Sampler(SHOWN_PAIRS, seed=self.seed)

    def take(self, result: dict[str, Any]) -> None:
        """Counts a record of qa.results, given as JSON."""
        kept, rejected = result["pairs"], [refused["pair"] for refused in result["rejected"]]
        self._count_chunk(result)
        self._count_groups(result, kept, rejected)
        for refused in result["rejected"]:
            self._count_rejection(refused, result)
        self._count_scores({f"text {name}": value for name, value in result.get("text_scores", {}).items()})
        for pair in (*kept, *rejected):
            self._count_scores(pair.get("scores", {}))
        for pair in kept:
            self._count_pair(pair, result)

    def end_document(self, path: str) -> None:
        """Accounts for the outcomes since the last call as one document."""
        done, self._document = self._document, Counter()
        slow = numbers.SlowDocument(
            document=path, chunks=done["chunks"], pairs=done["pairs"],
            seconds=round(done["total_ms"] / 1000, 3), model_seconds=round(done["model_ms"] / 1000, 3),
        )  # fmt: skip
        self.slowest = sorted([*self.slowest, slow], key=lambda each: -each.seconds)[:SLOWEST]

    def chunks(self) -> numbers.ChunkNumbers:
        counts = {status: self.statuses[status] for status in ("ok", "empty", "failed")}
        skipped, errors = dict(self.skipped.most_common()), dict(self.errors.most_common())
        counts["total"], failures = self.statuses.total(), tuple(self.failures)
        return numbers.ChunkNumbers(**counts, skipped=skipped, errors=errors, failures=failures)

    def usage_numbers(self, prices: Prices | None) -> numbers.UsageNumbers:
        tokens = self.usage["prompt_tokens"] + self.usage["completion_tokens"]
        return numbers.UsageNumbers(
            **{name: self.usage[name] for name in COUNTS},
            per_pair=ratio(tokens, self.types.kept.total()),
            cost=None if prices is None else self._cost(prices),
        )

    def lengths(self) -> dict[str, Spread]:
        """Returns the lengths in characters of the parts of kept pairs, and of all chunks."""
        return _spreads(self._lengths.items())

    def scores(self) -> dict[str, Spread]:
        """Returns the scores of kept and rejected pairs, and of texts, by name."""
        return _spreads(sorted(self._scores.items()), unit=SCORE_UNIT, scale=SCORE_SCALE)

    def made_with(self) -> tuple[numbers.Made, ...]:
        made = [
            numbers.Made(kind=kind, name=name, detail=detail, chunks=counts["chunks"], pairs=counts["pairs"])
            for (kind, name, detail), counts in self._made.items()
        ]
        return tuple(sorted(made, key=lambda each: (KINDS.index(each.kind), -each.chunks, each.name, each.detail)))

    def sample(self) -> tuple[numbers.ShownPair, ...]:
        return tuple(self._sampler.items())

    def rejected_sample(self) -> dict[str, tuple[numbers.ShownRejection, ...]]:
        """Returns rejected pairs by check; the commonest check comes first."""
        return {check: tuple(self._rejected[check].items()) for check, _ in self.rejections.most_common()}

    def _count_chunk(self, result: dict[str, Any]) -> None:
        pairs = len(result["pairs"])
        self.statuses[result["status"]] += 1
        self._lengths["chunk"][len(result["chunk"]["text"])] += 1
        self.usage.update({name: result.get("usage", {}).get(name, 0) for name in COUNTS})
        self._document.update({"chunks": 1, "pairs": pairs, **result.get("timing", {})})
        for kind in KINDS:
            if made := result.get(kind):
                detail = made["hash"] if kind == "recipe" else made.get("root", "")
                self._made[kind, made["name"], detail].update(chunks=1, pairs=pairs)
        if result["status"] == "failed":
            self._count_failure(result)
        if skipped := result.get("skipped"):
            self.skipped[skipped["check"]] += 1

    def _count_failure(self, result: dict[str, Any]) -> None:
        error = result.get("error") or {"error_class": "unknown", "message": ""}
        self.errors[error["error_class"]] += 1
        if len(self.failures) < NAMED:
            path, index = result["document"]["path"], result["chunk"]["index"]
            fields = {name: error[name] for name in ("error_class", "message")}
            self.failures.append(numbers.FailedChunk(document=path, index=index, **fields))

    def _count_groups(self, result: dict[str, Any], kept: list[dict[str, Any]], rejected: list[dict[str, Any]]) -> None:
        planned = result.get("planned")
        self.plan_is_known |= bool(planned)
        self.types.take((pair["type"] for pair in kept), (pair["type"] for pair in rejected), planned)
        self.languages.take(
            (pair.get("language", "") for pair in kept), (pair.get("language", "") for pair in rejected)
        )

    def _count_rejection(self, refused: dict[str, Any], result: dict[str, Any]) -> None:
        pair, place = refused["pair"], result["chunk"]["index"]
        for reason in refused["reasons"]:
            check = reason["check"]
            self.rejections[check] += 1
            shown = numbers.ShownRejection(
                document=result["document"]["path"], chunk_index=place, pair=pair, detail=reason.get("detail", "")
            )
            sampler = self._rejected.setdefault(check, Sampler(REJECTED_EXAMPLES, seed=self.seed))
            sampler.offer(f"{pair['id']} {check}", shown)

    def _count_scores(self, scores: dict[str, float]) -> None:
        for name, value in scores.items():
            self._scores[name][round(value / SCORE_UNIT)] += 1

    def _count_pair(self, pair: dict[str, Any], result: dict[str, Any]) -> None:
        chunk = result["chunk"]
        self._lengths["question"][len(pair["question"])] += 1
        self._lengths["answer"][len(pair["answer"])] += 1
        self._lengths["evidence"].update(len(quote["text"]) for quote in pair.get("evidence", ()))
        shown = numbers.ShownPair(
            document=result["document"]["path"], headings=tuple(chunk.get("headings", ())), chunk_index=chunk["index"],
            pair=pair, text=chunk["text"], start=chunk["start"],
        )  # fmt: skip
        self._sampler.offer(pair["id"], shown)

    def _cost(self, prices: Prices) -> numbers.Cost:
        tokens = self.usage["prompt_tokens"] * prices.prompt + self.usage["completion_tokens"] * prices.completion
        total, pairs = tokens / MILLION, self.types.kept.total()
        return numbers.Cost(
            price_prompt=prices.prompt, price_completion=prices.completion, total=round(total, 6),
            per_pair=ratio(total, pairs),
        )  # fmt: skip


def _spreads(
    counted: Iterable[tuple[str, Counter[int]]], *, unit: float = 1, scale: range | None = None
) -> dict[str, Spread]:
    found = ((name, spread_of(values, unit=unit, scale=scale)) for name, values in counted)
    return {name: spread for name, spread in found if spread is not None}
