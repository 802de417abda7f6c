"""The account of chunks: which published chunks have an outcome. Pure; it is fed with ledger entries and outcomes.

The two come from two topics, in any order to each other; those of one document come in their own order. A version of a
document in one generation is an edition. Readers get the newest complete edition; an edition that is being published
replaces it when it is complete. The producer's backlog, --on-done and the progress of a run are views of this account.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import add, sub
from typing import NamedTuple

from ledger.index_set import IndexSet
from ledger.outcome import EditionKey, OutcomeSummary, ResultPosition
from ledger.promise import all_answered, promise_of
from schemas import FileState, LedgerEntry, Status


class Failure(NamedTuple):
    """The last outcome of a chunk that failed."""

    attempt: int
    error_class: str


class Standing(NamedTuple):
    """Counts over documents. They are of the edition that is being published, or else of the newest complete one.

    `waiting` counts documents whose newest complete edition lacks an outcome. `backlog` counts published chunks without
    an outcome, those of replaced editions too.
    """

    documents: int = 0
    documents_done: int = 0
    waiting: int = 0
    chunks: int = 0
    answered: int = 0
    failed: int = 0
    pairs: int = 0
    backlog: int = 0


@dataclass(slots=True)
class Edition:
    """The chunks of one edition. `whole`: all its chunks are published, and `published` is their number."""

    published: int = 0
    answered: int = 0
    pairs: int = 0
    whole: bool = False
    last: ResultPosition | None = None
    failures: dict[int, Failure] | None = None
    _indexes: IndexSet | None = None
    """Chunks with an outcome. It goes once they are all the chunks of a whole edition."""

    @property
    def waiting(self) -> int:
        return self.published - self.answered

    @property
    def settled(self) -> bool:
        return self.whole and all_answered(self.published, self.answered)

    def close(self, chunks: int) -> None:
        """Take note that the edition is published whole, with `chunks` chunks."""
        self.whole, self.published = True, chunks
        if self._indexes:
            self.answered = self._indexes.count_below(chunks)
        self._let_go()

    def take(self, outcome: OutcomeSummary, position: ResultPosition) -> None:
        """Count the outcome of a chunk once. A later attempt replaces a failed one: only failed chunks are replayed."""
        index, failed = outcome.chunk.index, self._failure(outcome.chunk.index)
        if failed is None:
            if not self._is_first(index):
                return
            self.answered += 1
            self.last = position
            self._let_go()
        elif outcome.attempt <= failed.attempt:
            return
        self.pairs += len(outcome.pairs)
        self._note(outcome)

    def _failure(self, index: int) -> Failure | None:
        return self.failures.get(index) if self.failures else None

    def _is_first(self, index: int) -> bool:
        if self.settled or (self.whole and index >= self.published):
            return False
        if self._indexes is None:
            self._indexes = IndexSet()
        return self._indexes.add(index)

    def _let_go(self) -> None:
        if self.settled:
            self._indexes = None

    def _note(self, outcome: OutcomeSummary) -> None:
        index = outcome.chunk.index
        if outcome.status is Status.FAILED:
            self.failures = self.failures or {}
            self.failures[index] = Failure(outcome.attempt, outcome.error.error_class if outcome.error else "unknown")
        elif self.failures:
            self.failures.pop(index, None)


@dataclass(slots=True)
class DocumentAccount:
    """The editions of one document that still count. `newest` is the ledger's newest; `publishing`: it is under way."""

    newest: EditionKey = (0, 0)
    publishing: bool = False
    complete: EditionKey | None = None
    editions: dict[EditionKey, Edition] = field(default_factory=dict)

    @property
    def shown(self) -> EditionKey | None:
        """The edition that the counts are of; None where none is complete or under way."""
        return self.newest if self.publishing else self.complete

    def take_entry(self, entry: LedgerEntry) -> None:
        self.newest = entry.document.version, entry.generation
        self.publishing = entry.state is FileState.PUBLISHING
        self._edition(self.newest).published = entry.chunks
        promise = promise_of(entry)
        self.complete = promise.age if promise else None
        if promise:
            self._edition(promise.age).close(promise.chunks)
        self._forget_replaced()

    def take_outcome(self, outcome: OutcomeSummary, position: ResultPosition) -> None:
        """Count an outcome of an edition that counts, or that the ledger has not told of yet."""
        key = outcome.edition
        if key not in self.editions and key <= self.newest:
            return
        edition = self._edition(key)
        edition.take(outcome, position)
        if edition.waiting <= 0:
            self._forget_replaced()

    def standing(self) -> Standing:
        backlog = sum(edition.waiting for edition in self.editions.values())
        shown = self.editions.get(self.shown) if self.shown else None
        if shown is None:
            return Standing(backlog=backlog)
        complete = self.editions.get(self.complete) if self.complete else None
        return Standing(
            documents=1,
            documents_done=int(not self.publishing and shown.settled),
            waiting=int(complete is not None and not complete.settled),
            chunks=shown.published,
            answered=shown.answered,
            failed=len(shown.failures or ()),
            pairs=shown.pairs,
            backlog=backlog,
        )

    def _edition(self, key: EditionKey) -> Edition:
        return self.editions.setdefault(key, Edition())

    def _forget_replaced(self) -> None:
        """Drop editions that are replaced and have all their outcomes."""
        self.editions = {
            key: edition
            for key, edition in self.editions.items()
            if key >= self.newest or key == self.complete or edition.waiting > 0
        }


class Account:
    """The accounts of all documents, or of those of one `source`. `standing` is their sum.

    After a restart the backlog lacks the chunks of editions that were replaced before: the ledger has the newest only.
    """

    def __init__(self, source: str | None = None) -> None:
        self.standing = Standing()
        self._source = source
        self._documents: dict[str, DocumentAccount] = {}

    @property
    def backlog(self) -> int:
        """The number of published chunks without an outcome."""
        return self.standing.backlog

    def take_entry(self, entry: LedgerEntry) -> None:
        document = self._documents.setdefault(entry.document.id, DocumentAccount())
        before = document.standing()
        document.take_entry(entry)
        self._add(before, document)

    def take_outcome(self, outcome: OutcomeSummary, position: ResultPosition) -> None:
        if self._source not in (None, outcome.document.source):
            return
        document = self._documents.setdefault(outcome.document.id, DocumentAccount())
        before = document.standing()
        document.take_outcome(outcome, position)
        self._add(before, document)

    def shown(self, document_id: str) -> EditionKey | None:
        """Return the edition of a document that the counts are of; None where there is none."""
        document = self._documents.get(document_id)
        return document.shown if document else None

    def failures(self, document_id: str) -> Iterator[tuple[int, str]]:
        """Yield index and error class of the failed chunks in the edition that the counts are of, by index."""
        document = self._documents.get(document_id)
        edition = document.editions.get(document.shown) if document and document.shown else None
        failures = edition.failures if edition else None
        return ((index, failure.error_class) for index, failure in sorted((failures or {}).items()))

    def answered(self, document_id: str) -> bool:
        """Tell whether the newest edition is complete and every chunk of it has an outcome."""
        edition = self._newest(document_id)
        return edition is not None and edition.settled

    def last_position(self, document_id: str) -> ResultPosition | None:
        """Return where the last outcome of an answered document is; None where it has no chunks."""
        edition = self._newest(document_id)
        return edition.last if edition else None

    def _newest(self, document_id: str) -> Edition | None:
        document = self._documents.get(document_id)
        return document.editions.get(document.newest) if document else None

    def _add(self, before: Standing, document: DocumentAccount) -> None:
        change = map(sub, document.standing(), before)
        self.standing = Standing(*map(add, self.standing, change))
