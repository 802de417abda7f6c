"""The progress of a run: the account of chunks, with the names of files and the calls of this run."""

from collections.abc import Iterator

from ledger.account import Account, ProgressTotals
from ledger.outcome import OutcomeSummary, ResultPosition
from schemas import FileState, LedgerEntry, Result


class Progress:
    """Feed it every ledger entry and every outcome, those of each partition in their order."""

    def __init__(self) -> None:
        self._account = Account()
        self._paths: dict[str, str] = {}
        self._rejected: dict[str, str] = {}
        self._calls = self._cached_calls = 0

    @property
    def totals(self) -> ProgressTotals:
        """The counts of the account, the rejected files, and the model calls of this run only."""
        return self._account.totals._replace(
            rejected=len(self._rejected), calls=self._calls, cached_calls=self._cached_calls
        )

    def take_entry(self, entry: LedgerEntry) -> None:
        document = entry.document
        self._paths[document.id] = document.path
        self._rejected.pop(document.id, None)
        if entry.state is FileState.REJECTED:
            self._rejected[document.id] = entry.reason or "no reason given"
        self._account.take_entry(entry)

    def take_outcome(self, outcome: OutcomeSummary, position: ResultPosition, *, fresh: bool) -> None:
        """Counts an outcome. `fresh`: it was written during this run, so its calls count."""
        self._paths.setdefault(outcome.document.id, outcome.document.path)
        self._account.take_outcome(outcome, position)
        if fresh:
            self._calls += outcome.usage.calls
            self._cached_calls += outcome.usage.cached_calls

    def is_newest(self, result: Result) -> bool:
        """Tells whether `totals` count the edition that `result` belongs to."""
        return self._account.shown(result.document.id) == (result.document.version, result.generation)

    def failures(self) -> Iterator[str]:
        """Yields one line for each rejected file and each failed chunk that `totals` count."""
        for document, path in self._paths.items():
            if document in self._rejected:
                yield f"{path}: {self._rejected[document]}"
            for index, error_class in self._account.failures(document):
                yield f"{path}, chunk {index}: {error_class}"
