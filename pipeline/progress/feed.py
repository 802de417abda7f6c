"""Feeding a run's progress from the topics."""

from ledger.outcome import OutcomeSummary, ResultPosition
from ledger.progress import Progress
from messaging.follow import Offsets
from messaging.messages import decoded
from messaging.record import Record
from schemas import LedgerEntry


class Tally:
    """Takes records of `qa.files` and `qa.results`; what can't be read is logged and counts for nothing."""

    def __init__(self, progress: Progress, *, fresh_from: Offsets) -> None:
        """`fresh_from`: where each partition of `qa.results` ended when the run began; one not named is all old."""
        self._progress = progress
        self._fresh_from = fresh_from

    def take_entry(self, record: Record) -> None:
        if (entry := decoded(LedgerEntry, record)) is not None:
            self._progress.take_entry(entry)

    def take_result(self, record: Record) -> None:
        if (outcome := decoded(OutcomeSummary, record)) is not None:
            began = self._fresh_from.get(record.partition)
            fresh = began is not None and record.offset >= began
            position = ResultPosition(record.partition, record.offset)
            self._progress.take_outcome(outcome, position, fresh=fresh)
