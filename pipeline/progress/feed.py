"""Feeds the progress of a run from the topics."""

from ledger.outcome import OutcomeSummary, ResultPosition
from ledger.progress import Progress
from messaging.follow import Offsets
from messaging.messages import decoded
from messaging.record import Record
from schemas import LedgerEntry


class ProgressFeed:
    """Feeds records of qa.files and qa.results to a run's progress. Records that can't be decoded are logged."""

    def __init__(self, progress: Progress, *, fresh_from: Offsets) -> None:
        """`fresh_from`: where partitions of qa.results ended when the run began. Others have old results only."""
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
