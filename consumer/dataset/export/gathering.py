"""From what the sink wrote to the pairs of a data set: filtered, each once, and in a given proportion of types."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from consumer.dataset.export.clusters import Clusters
from consumer.dataset.export.filters import Wanted
from consumer.dataset.export.formats import full
from consumer.dataset.export.pool import Pool
from consumer.dataset.export.proportions import Proportions, quotas
from consumer.dataset.export.questions import Questions
from consumer.dataset.export.similar_texts import Neighbours
from consumer.dataset.pairs import ExportedPair

CLOSE = 0.5
"""How far, on the way from the threshold to 1, texts are that stand for each other when later ones are compared."""
STAND_INS = 4
"""A text with as many close ones before it is not compared with later ones itself: a form that thousands of files fill
in would make each of them a candidate for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is settable about the pairs of a data set. `similarity` is that from which texts are alike."""

    wanted: Wanted = field(default_factory=Wanted)
    similarity: float = 0.85
    keep_duplicates: bool = False
    proportions: Proportions | None = None
    validation: float = 0.0
    seed: int = 0
    text: bool = False
    preferences: bool = False

    @property
    def rejected(self) -> bool:
        """Whether rejected pairs have to be looked at."""
        return self.preferences or self.wanted.status != "kept"


@dataclass(slots=True)
class Account:
    """What became of the pairs that were looked at. Counts by type, language and model are of the data set."""

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
        """Why pairs are not in the data set, and how many."""
        counted = (
            ("by the filters", self.filtered),
            ("of a text that is there already", self.equal_texts),
            ("a question like one that is there already", self.similar_questions),
            ("more of their type than its share", self.unbalanced),
        )
        return [(why, count) for why, count in counted if count]


class Gathering:
    """`take` all pairs in their order, then `finish`: the pool has the data set."""

    def __init__(self, pool: Pool, choice: Choice) -> None:
        self.account = Account()
        self._pool = pool
        self._choice = choice
        self._clusters = Clusters()
        self._questions = Questions(pool.db)
        self._texts = Neighbours(pool.db, "near", threshold=choice.similarity)
        self._last: tuple[str, int, int] = "", 0, 0

    def take(self, pairs: Iterable[ExportedPair]) -> None:
        for exported in pairs:
            if self._choice.preferences and exported.status == "rejected":
                self._take_rejected(exported)
            if self._choice.wanted.status in (exported.status, "all"):
                self._take(exported)

    def finish(self) -> Account:
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
        """The shares hold on either side, and validation keeps within its own; how many pairs that leaves."""
        train = quotas(self._pool.available("train"), proportions)
        count, share = sum(train.values()), self._choice.validation
        held_out = quotas(self._pool.available("validation"), proportions, most=count * share / (1 - share))
        self._pool.choose(train, "train")
        self._pool.choose(held_out, "validation")
        return count + sum(held_out.values())

    def _take(self, exported: ExportedPair) -> None:
        chunk = exported.result["chunk"]
        if not self._choice.wanted.takes(exported):
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
        if self._choice.wanted.may_oppose(exported):
            item = full(exported, text=self._choice.text)
            self._pool.add_rejected(item, content_key=exported.result["chunk"]["content_key"])

    def _text_of(self, exported: ExportedPair) -> int:
        """The number of its text, joined to those that it is like, and to the one before it where they overlap."""
        chunk = exported.result["chunk"]
        number, new = self._pool.text(chunk["text"])
        if new:
            alike = self._texts.near(chunk["text"])
            for neighbour in alike:
                self._clusters.join(number, neighbour.number)
            limit = 1 - CLOSE * (1 - self._choice.similarity)
            if sum(neighbour.similarity >= limit for neighbour in alike) < STAND_INS:
                self._texts.add(number, chunk["text"])
        document, end, before = self._last
        if document == exported.result["document"]["id"] and chunk["start"] < end:
            self._clusters.join(number, before)
        self._last = exported.result["document"]["id"], chunk["end"], number
        return number
