"""Feeding a run's progress from the topics."""

import logging

from ledger.outcome import OutcomeSummary, ResultPosition
from ledger.progress import Progress
from messaging.record import Record
from pipeline.progress.follow import Offsets
from schemas import DecodeError, LedgerEntry, decode

log = logging.getLogger(__name__)


class Tally:
    """Takes records of `qa.files` and `qa.results`; what can't be read is logged and counts for nothing."""

    def __init__(self, progress: Progress, *, fresh_from: Offsets) -> None:
        """`fresh_from`: where each partition of `qa.results` ended when the run began; one not named is all old."""
        self._progress = progress
        self._fresh_from = fresh_from

    def take_entry(self, record: Record) -> None:
        try:
            self._progress.take_entry(decode(LedgerEntry, record.value))
        except DecodeError as exc:
            _complain(record, exc)

    def take_result(self, record: Record) -> None:
        try:
            outcome = decode(OutcomeSummary, record.value)
        except DecodeError as exc:
            _complain(record, exc)
        else:
            began = self._fresh_from.get(record.partition)
            fresh = began is not None and record.offset >= began
            position = ResultPosition(record.partition, record.offset)
            self._progress.take_outcome(outcome, position, fresh=fresh)


def _complain(record: Record, exc: DecodeError) -> None:
    log.warning("%s %d:%d: %s", record.topic, record.partition, record.offset, exc)
