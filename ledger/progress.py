"""The progress of a run: a view of the account of chunks, with the names of files and the calls of this run."""

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.account import Account
from ledger.outcome import OutcomeSummary, ResultPosition
from schemas import FileState, LedgerEntry, Result


@dataclass(frozen=True, slots=True)
class ProgressTotals:
    """Counts over the newest editions of all documents. `calls` and `cached_calls` are of this run only.

    `waiting` counts files whose newest complete edition lacks an outcome.
    """

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


class Progress:
    """Feed it every ledger entry and every outcome, those of each partition in their order."""

    def __init__(self) -> None:
        self._account = Account()
        self._paths: dict[str, str] = {}
        self._rejected: dict[str, str] = {}
        self._calls = 0
        self._cached_calls = 0

    @property
    def totals(self) -> ProgressTotals:
        standing = self._account.standing
        return ProgressTotals(
            files=standing.documents,
            files_done=standing.documents_done,
            waiting=standing.waiting,
            rejected=len(self._rejected),
            chunks=standing.chunks,
            answered=standing.answered,
            failed=standing.failed,
            pairs=standing.pairs,
            calls=self._calls,
            cached_calls=self._cached_calls,
        )

    @property
    def all_answered(self) -> bool:
        """True when every chunk of the newest complete edition of every document has an outcome."""
        return self._account.standing.waiting == 0

    def take_entry(self, entry: LedgerEntry) -> None:
        document = entry.document
        self._paths[document.id] = document.path
        if entry.state is FileState.REJECTED:
            self._rejected[document.id] = entry.reason or "no reason given"
        else:
            self._rejected.pop(document.id, None)
        self._account.take_entry(entry)

    def take_outcome(self, outcome: OutcomeSummary, position: ResultPosition, *, fresh: bool) -> None:
        """Count an outcome. `fresh`: it was written during this run, so its calls count."""
        self._paths.setdefault(outcome.document.id, outcome.document.path)
        self._account.take_outcome(outcome, position)
        if fresh:
            self._calls += outcome.usage.calls
            self._cached_calls += outcome.usage.cached_calls

    def is_newest(self, result: Result) -> bool:
        """Tell whether `totals` count the edition that `result` belongs to."""
        return self._account.shown(result.document.id) == (result.document.version, result.generation)

    def failures(self) -> Iterator[str]:
        """Yield one line for each rejected file and each failed chunk that `totals` count."""
        for document, path in self._paths.items():
            if document in self._rejected:
                yield f"{path}: {self._rejected[document]}"
            for index, error_class in self._account.failures(document):
                yield f"{path}, chunk {index}: {error_class}"
