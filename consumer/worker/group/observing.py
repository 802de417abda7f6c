"""Counts the transactions of a worker and what they commit."""

import time
from collections.abc import Sequence

from consumer.worker.outcome import Outcome
from schemas import Result
from telemetry.metrics import WorkerMetrics, bounded

FAILED_S = 10.0
"""Time after which transactions that fail one after another make the worker unready. A single failure does not."""


class ObservedTransactions:
    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics
        self._failing_since_s: float | None = None

    def committed(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Takes note of a transaction that was committed in `seconds`."""
        self._failing_since_s = None
        self._metrics.transactions.labels("committed").inc()
        self._metrics.transaction_seconds.observe(seconds)
        now_ms = time.time() * 1000
        for outcome in outcomes:
            self._metrics.chunk_seconds.observe(max(0.0, now_ms - outcome.published_ms) / 1000)
            if outcome.error_class is not None:
                self._metrics.dead_letters.labels(bounded(outcome.error_class)).inc()
            if outcome.result is not None:
                self._count(outcome.result)

    def failed(self) -> None:
        self._metrics.transactions.labels("failed").inc()
        if self._failing_since_s is None:
            self._failing_since_s = time.monotonic()

    def trouble(self) -> str | None:
        """Returns for how long transactions have failed, in words, or None if that is less than FAILED_S."""
        failing_s = time.monotonic() - (self._failing_since_s or time.monotonic())
        return f"transactions have failed for {failing_s:.0f} s" if failing_s >= FAILED_S else None

    def _count(self, result: Result) -> None:
        self._metrics.chunks.labels(result.status).inc()
        for pair in result.pairs:
            self._metrics.pairs.labels("accepted", pair.type).inc()
        for rejected in result.rejected:
            self._metrics.pairs.labels("rejected", rejected.pair.type).inc()
