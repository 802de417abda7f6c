"""How far a run is: what the ledger promises against the outcomes there are. Pure; fed record by record.

Ledger and outcomes come from two topics in any order to each other. For one document a bit is kept for each chunk,
so that a million chunks cost 125 kB.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from schemas import FileState, LedgerEntry, OutcomeError, Result, Status, Usage
from schemas.messages import Count, Id, Message

Key = tuple[int, int]
"""Version and generation of a document; the greater one replaces the smaller."""


class OutcomeDocument(Message):
    id: Id
    path: str
    version: int


class OutcomeChunk(Message):
    index: Count


class Outcome(Message):
    """The part of a result that progress needs."""

    status: Status
    document: OutcomeDocument
    chunk: OutcomeChunk
    generation: Count = 0
    attempt: Count = 0
    pairs: tuple[Any, ...] = ()
    usage: Usage = Usage()
    error: OutcomeError | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the newest version of each document. `calls` and `cached_calls` are of this run only."""

    files: int = 0
    files_done: int = 0
    waiting: int = 0
    rejected: int = 0
    chunks: int = 0
    answered: int = 0
    failed: int = 0
    pairs: int = 0
    calls: int = 0
    cached_calls: int = 0

    def plus(self, other: "Totals", *, sign: int = 1) -> "Totals":
        return Totals(*(getattr(self, f.name) + sign * getattr(other, f.name) for f in fields(Totals)))


@dataclass(slots=True)
class _Answers:
    """Outcomes of one version and generation."""

    seen: bytearray = field(default_factory=bytearray)
    count: int = 0
    pairs: int = 0
    failed: dict[int, tuple[int, str]] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        index = outcome.chunk.index
        if self._first(index):
            self.count += 1
        elif not self._replaces(index, outcome.attempt):
            return
        self.pairs += len(outcome.pairs)
        if outcome.status is Status.FAILED:
            self.failed[index] = outcome.attempt, outcome.error.error_class if outcome.error else "unknown"

    def _first(self, index: int) -> bool:
        byte, bit = divmod(index, 8)
        self.seen.extend(bytes(max(0, byte + 1 - len(self.seen))))
        new = not self.seen[byte] & (1 << bit)
        self.seen[byte] |= 1 << bit
        return new

    def _replaces(self, index: int, attempt: int) -> bool:
        """Only failed chunks are tried again."""
        if index in self.failed and attempt > self.failed[index][0]:
            del self.failed[index]
            return True
        return False


@dataclass(slots=True)
class _Document:
    path: str = ""
    rejected: str | None = None
    promised: Key | None = None
    chunks: int = 0
    open: bool = False
    complete: Key | None = None
    complete_chunks: int = 0
    answers: dict[Key, _Answers] = field(default_factory=dict)

    def answers_to(self, key: Key | None) -> _Answers:
        return (self.answers.get(key) if key else None) or _Answers()

    def totals(self) -> Totals:
        shown = self.answers_to(self.promised)
        waiting = self.complete is not None and self.answers_to(self.complete).count < self.complete_chunks
        return Totals(
            files=int(self.promised is not None),
            files_done=int(self.promised is not None and not self.open and shown.count >= self.chunks),
            waiting=int(waiting),
            rejected=int(self.rejected is not None),
            chunks=self.chunks,
            answered=shown.count,
            failed=len(shown.failed),
            pairs=shown.pairs,
        )


class Progress:
    """Feed it every ledger entry and every outcome, each topic's partition in order."""

    def __init__(self) -> None:
        self._documents: dict[str, _Document] = {}
        self.totals = Totals()

    def take_entry(self, entry: LedgerEntry) -> None:
        document, before = self._open(entry.document.id)
        document.path = entry.document.path
        document.rejected = (entry.reason or "no reason given") if entry.state is FileState.REJECTED else None
        document.open = entry.state is FileState.PUBLISHING
        document.complete, document.complete_chunks = _completed(entry)
        if document.open:
            document.promised, document.chunks = _key(entry), entry.chunks
        else:
            document.promised, document.chunks = document.complete, document.complete_chunks
        _forget_older(document)
        self._close(document, before)

    def take_outcome(self, outcome: Outcome, *, fresh: bool) -> None:
        """`fresh`: written during this run, so that its calls count."""
        document, before = self._open(outcome.document.id)
        document.path = document.path or outcome.document.path
        key = outcome.document.version, outcome.generation
        if document.complete is None or key >= document.complete:
            document.answers.setdefault(key, _Answers()).add(outcome)
        self._close(document, before)
        if fresh:
            spent = Totals(calls=outcome.usage.calls, cached_calls=outcome.usage.cached_calls)
            self.totals = self.totals.plus(spent)

    @property
    def all_answered(self) -> bool:
        """Every chunk of every complete version (the newest of each document) has an outcome."""
        return self.totals.waiting == 0

    def is_newest(self, result: Result) -> bool:
        """Whether it is of the version and generation of its document that `totals` are of."""
        document = self._documents.get(result.document.id)
        return document is not None and document.promised == (result.document.version, result.generation)

    def failures(self) -> Iterator[str]:
        """What is in the dead letters of the newest versions: rejected files, failed chunks."""
        for document in self._documents.values():
            if document.rejected is not None:
                yield f"{document.path}: {document.rejected}"
            for index, (_, error_class) in sorted(document.answers_to(document.promised).failed.items()):
                yield f"{document.path}, chunk {index}: {error_class}"

    def _open(self, document_id: str) -> tuple[_Document, Totals]:
        document = self._documents.setdefault(document_id, _Document())
        return document, document.totals()

    def _close(self, document: _Document, before: Totals) -> None:
        self.totals = self.totals.plus(before, sign=-1).plus(document.totals())


def _key(entry: LedgerEntry) -> Key:
    return entry.document.version, entry.generation


def _completed(entry: LedgerEntry) -> tuple[Key | None, int]:
    """The newest complete version and its number of chunks."""
    if entry.state is FileState.COMPLETE:
        return _key(entry), entry.chunks
    if entry.state is FileState.FORGOTTEN or entry.complete is None:
        return None, 0
    return (entry.complete.version, entry.complete.generation), entry.complete.chunks


def _forget_older(document: _Document) -> None:
    if document.complete is not None:
        document.answers = {key: a for key, a in document.answers.items() if key >= document.complete}
