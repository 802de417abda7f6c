"""The account of chunks: which published chunks have an outcome. Pure; it is fed with ledger entries and outcomes.

The two come from two topics, in any order to each other; those of one document come in their own order. An edition is a
version of a document in one generation. Readers get the newest complete edition until the next one is complete. The
producer's backlog, --on-done and the progress of a run are views of this account.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import add, sub
from typing import NamedTuple

from ledger.index_set import IndexSet
from ledger.outcome import EditionKey, OutcomeSummary, ResultPosition
from ledger.promise import all_answered, promise_of
from schemas import FileState, LedgerEntry, Status


class ProgressTotals(NamedTuple):
    """Counts over documents, of the edition that is being published, or else of the newest complete one.

    `waiting` counts files whose newest complete edition lacks an outcome. `backlog` counts published chunks without an
    outcome, those of replaced editions too. The account leaves `rejected`, `calls` and `cached_calls` to `Progress`.
    """

    files: int = 0
    files_done: int = 0
    waiting: int = 0
    rejected: int = 0
    chunks: int = 0
    answered: int = 0
    failed: int = 0
    pairs: int = 0
    backlog: int = 0
    calls: int = 0
    cached_calls: int = 0


class ChunkFailure(NamedTuple):
    attempt: int
    error_class: str


@dataclass(slots=True)
class Edition:
    """The chunks of one edition. `whole`: all its chunks are published, and `published` is their number."""

    published: int = 0
    answered: int = 0
    pairs: int = 0
    whole: bool = False
    last: ResultPosition | None = None
    failures: dict[int, ChunkFailure] | None = None
    indexes: IndexSet | None = None
    """Chunks with an outcome; None when every chunk of a completely published edition has one."""

    @property
    def settled(self) -> bool:
        return self.whole and all_answered(self.published, self.answered)

    def close(self, chunks: int) -> None:
        """Notes that the edition is published whole, with `chunks` chunks."""
        self.whole, self.published = True, chunks
        if self.indexes:
            self.answered = self.indexes.count_below(chunks)
        if self.settled:
            self.indexes = None

    def take(self, outcome: OutcomeSummary, position: ResultPosition) -> None:
        """Counts the outcome of a chunk once. A later attempt replaces a failed one; others are not replayed."""
        index, failures = outcome.chunk.index, self.failures or {}
        failed = failures.get(index)
        if failed and outcome.attempt <= failed.attempt:
            return
        if failed:
            del failures[index]
        elif not self._answer(index, position):
            return
        self.pairs += len(outcome.pairs)
        if outcome.status is Status.FAILED:
            error_class = outcome.error.error_class if outcome.error else "unknown"
            failures[index] = ChunkFailure(outcome.attempt, error_class)
        self.failures = failures or None

    def _answer(self, index: int, position: ResultPosition) -> bool:
        """Notes that the chunk has an outcome and tells whether that is new."""
        if self.settled or (self.whole and index >= self.published):
            return False
        self.indexes = self.indexes or IndexSet()
        if not self.indexes.add(index):
            return False
        self.answered += 1
        self.last = position
        if self.settled:
            self.indexes = None
        return True


@dataclass(slots=True)
class DocumentAccount:
    """The editions of one document that still count. `newest` is the ledger's newest one."""

    newest: EditionKey = (0, 0)
    publishing: bool = False
    complete: EditionKey | None = None
    editions: dict[EditionKey, Edition] = field(default_factory=dict)

    @property
    def shown(self) -> EditionKey | None:
        """The edition that the totals count; None where none is complete or being published."""
        return self.newest if self.publishing else self.complete

    def edition(self, key: EditionKey | None) -> Edition | None:
        return self.editions.get(key) if key else None

    def take_entry(self, entry: LedgerEntry) -> None:
        self.newest, self.publishing = (entry.document.version, entry.generation), entry.state is FileState.PUBLISHING
        self.editions.setdefault(self.newest, Edition()).published = entry.chunks
        promise = promise_of(entry)
        self.complete = promise.age if promise else None
        if promise:
            self.editions.setdefault(promise.age, Edition()).close(promise.chunks)
        self._forget_replaced()

    def take_outcome(self, outcome: OutcomeSummary, position: ResultPosition) -> None:
        """Counts an outcome of an edition that counts, or that the ledger has not told of yet."""
        key = outcome.edition
        if key in self.editions or key > self.newest:
            self.editions.setdefault(key, Edition()).take(outcome, position)
            self._forget_replaced()

    def totals(self) -> ProgressTotals:
        backlog = sum(edition.published - edition.answered for edition in self.editions.values())
        shown, complete = self.edition(self.shown), self.edition(self.complete)
        if shown is None:
            return ProgressTotals(backlog=backlog)
        return ProgressTotals(
            files=1,
            files_done=int(not self.publishing and shown.settled),
            waiting=int(complete is not None and not complete.settled),
            chunks=shown.published, answered=shown.answered, failed=len(shown.failures or ()), pairs=shown.pairs,
            backlog=backlog,
        )  # fmt: skip

    def _forget_replaced(self) -> None:
        """Drops editions that are replaced and have all their outcomes."""
        for key, edition in list(self.editions.items()):
            if key < self.newest and key != self.complete and all_answered(edition.published, edition.answered):
                del self.editions[key]


class Account:
    """The accounts of all documents, or of those of one `source`. `totals` is their sum.

    After a restart the backlog lacks the chunks of editions that were replaced before: the ledger has the newest only.
    """

    def __init__(self, source: str | None = None) -> None:
        self.totals = ProgressTotals()
        self._source = source
        self._documents: dict[str, DocumentAccount] = {}

    def take_entry(self, entry: LedgerEntry) -> None:
        document = self._documents.setdefault(entry.document.id, DocumentAccount())
        before = document.totals()
        document.take_entry(entry)
        self._add(before, document)

    def take_outcome(self, outcome: OutcomeSummary, position: ResultPosition) -> None:
        if self._source in (None, outcome.document.source):
            document = self._documents.setdefault(outcome.document.id, DocumentAccount())
            before = document.totals()
            document.take_outcome(outcome, position)
            self._add(before, document)

    def shown(self, document_id: str) -> EditionKey | None:
        """Returns the edition of a document that the totals count; None where there is none."""
        return self._documents.get(document_id, DocumentAccount()).shown

    def failures(self, document_id: str) -> Iterator[tuple[int, str]]:
        """Yields index and error class of the failed chunks that the totals count, by index."""
        document = self._documents.get(document_id, DocumentAccount())
        edition = document.edition(document.shown) or Edition()
        return ((index, failure.error_class) for index, failure in sorted((edition.failures or {}).items()))

    def answered(self, document_id: str) -> bool:
        """Tells whether the newest edition is complete and every chunk of it has an outcome."""
        return self._newest(document_id).settled

    def last_position(self, document_id: str) -> ResultPosition | None:
        """Returns where the last outcome of an answered document is; None where it has no chunks."""
        return self._newest(document_id).last

    def _newest(self, document_id: str) -> Edition:
        document = self._documents.get(document_id, DocumentAccount())
        return document.edition(document.newest) or Edition()

    def _add(self, before: ProgressTotals, document: DocumentAccount) -> None:
        change = map(sub, document.totals(), before)
        self.totals = ProgressTotals(*map(add, self.totals, change))
