"""Chooses the pairs of a data set: filters, removes duplicates, balances types and splits off validation data."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from consumer.dataset.export.clusters import Clusters
from consumer.dataset.export.filters import PairFilter
from consumer.dataset.export.formats import full
from consumer.dataset.export.pool import Pool
from consumer.dataset.export.proportions import Proportions, quotas
from consumer.dataset.export.questions import AskedQuestions
from consumer.dataset.export.similarity import SimilarTexts
from consumer.dataset.pairs import ExportedPair

CLOSE = 0.5
"""Position between the threshold (0) and equality (1) from which one text can stand for another."""
STAND_INS = 4
"""A text with this many close texts before it is not compared with later texts itself. Otherwise a form that thousands
of files fill in would make each of them a candidate for all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """These options decide which pairs are in a data set.

    Texts stay on one side of the split from `similarity` on, which is above 0 and at most 1. `validation` is a share
    from 0 to below 1. `text` adds the source text to each item.
    """

    only: PairFilter = field(default_factory=PairFilter)
    similarity: float = 0.85
    keep_duplicates: bool = False
    proportions: Proportions | None = None
    validation: float = 0.0
    seed: int = 0
    text: bool = False
    preferences: bool = False

    @property
    def rejected(self) -> bool:
        """Tells whether rejected pairs have to be read."""
        return self.preferences or self.only.status != "kept"


@dataclass(slots=True)
class ExportAccount:
    """The account says what happened to the pairs. Counts by type, language and model are of the data set."""

    filtered: int = 0
    equal_texts: int = 0
    similar_questions: int = 0
    unbalanced: int = 0
    available: dict[str, int] = field(default_factory=dict)
    scores: set[str] = field(default_factory=set)
    types: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)

    def left_out(self) -> list[tuple[str, int]]:
        """Returns the reasons why pairs are not in the data set, each with the number of pairs."""
        counted = (
            ("by the filters", self.filtered),
            ("of a text that is there already", self.equal_texts),
            ("a question like one that is there already", self.similar_questions),
            ("more of their type than its share", self.unbalanced),
        )
        return [(why, count) for why, count in counted if count]


class Gathering:
    """Gathers the data set in a pool."""

    def __init__(self, pool: Pool, choice: Choice) -> None:
        self.account = ExportAccount()
        self._pool = pool
        self._choice = choice
        self._clusters = Clusters()
        self._questions = AskedQuestions(pool.db)
        self._texts = SimilarTexts(pool.db, threshold=choice.similarity)
        self._last: tuple[str, int, int] = "", 0, 0

    def gather(self, pairs: Iterable[ExportedPair]) -> ExportAccount:
        """Chooses from all `pairs`, balances types and splits off validation data."""
        for exported in pairs:
            if self._choice.preferences and exported.status == "rejected":
                self._take_rejected(exported)
            if self._choice.only.status in (exported.status, "all"):
                self._take(exported)
        account = self.account
        account.available = self._pool.available()
        if self._choice.proportions is not None:
            self._pool.choose(quotas(account.available, self._choice.proportions))
        self._pool.split(self._clusters, validation=self._choice.validation)
        if self._choice.proportions is not None:
            chosen = self._balance_sides(self._choice.proportions)
            account.unbalanced = sum(account.available.values()) - chosen
        account.types, account.languages, account.models = map(self._pool.counts, ("type", "language", "model"))
        return account

    def _balance_sides(self, proportions: Proportions) -> int:
        """Balances each side of the split, keeps validation within its share, and returns the number of pairs left."""
        train = quotas(self._pool.available("train"), proportions)
        count, share = sum(train.values()), self._choice.validation
        held_out = quotas(self._pool.available("validation"), proportions, most=count * share / (1 - share))
        self._pool.choose(train, "train")
        self._pool.choose(held_out, "validation")
        return count + sum(held_out.values())

    def _take(self, exported: ExportedPair) -> None:
        chunk = exported.result["chunk"]
        if not self._choice.only.takes(exported):
            self.account.filtered += 1
        elif not self._pool.stands_for(chunk["content_key"], chunk["id"]) and not self._choice.keep_duplicates:
            self.account.equal_texts += 1
        else:
            self._take_question(exported, self._text_of(exported))

    def _take_question(self, exported: ExportedPair, text: int) -> None:
        question = exported.pair["question"]
        if not self._choice.keep_duplicates and self._questions.has(question, kind=exported.status):
            self.account.similar_questions += 1
            return
        item = full(exported, text=self._choice.text)
        self._pool.add(item, text=text, content_key=exported.result["chunk"]["content_key"])
        if not self._choice.keep_duplicates:
            self._questions.add(question, kind=exported.status)
        self.account.scores.update(item["scores"])

    def _take_rejected(self, exported: ExportedPair) -> None:
        if self._choice.only.may_oppose(exported):
            item = full(exported, text=self._choice.text)
            self._pool.add_rejected(item, content_key=exported.result["chunk"]["content_key"])

    def _text_of(self, exported: ExportedPair) -> int:
        """Returns the number of the pair's text, and joins it to similar texts and to an overlapping chunk."""
        chunk = exported.result["chunk"]
        number, new = self._pool.text(chunk["text"])
        if new:
            alike = self._texts.similar_to(chunk["text"])
            for other in alike:
                self._clusters.join(number, other)
            limit = 1 - CLOSE * (1 - self._choice.similarity)
            if sum(similarity >= limit for similarity in alike.values()) < STAND_INS:
                self._texts.add(number, chunk["text"])
        document, end, before = self._last
        if document == exported.result["document"]["id"] and chunk["start"] < end:
            self._clusters.join(number, before)
        self._last = exported.result["document"]["id"], chunk["end"], number
        return number
