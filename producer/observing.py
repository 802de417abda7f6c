"""Metrics and traces of the producer's work."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from producer.publishing.batches import Batch
from schemas import DeadLetter, TopicNames, decode
from telemetry.metrics import ProducerMetrics, bounded
from telemetry.telemetry import Telemetry
from telemetry.tracing import Header


class Observer:
    """Counts, measures and traces the producer's work. Counters only rise by committed batches."""

    def __init__(self, telemetry: Telemetry[ProducerMetrics], names: TopicNames) -> None:
        self._metrics = telemetry.metrics
        self._tracing = telemetry.tracing
        self._names = names

    def looked(self, *, files: int, waiting: int) -> None:
        self._metrics.files.set(files)
        self._metrics.files_waiting.set(waiting)

    @contextmanager
    def transaction(self, batch: Batch) -> Iterator[None]:
        """Surrounds the transaction of a batch, with a span for each file that has chunks in it."""
        began = time.monotonic()
        try:
            with self._spans(batch):
                yield
        except Exception:
            self._metrics.transactions.labels("failed").inc()
            raise
        if batch.records:
            self._metrics.transactions.labels("committed").inc()
            self._metrics.transaction_seconds.observe(time.monotonic() - began)
            self._count(batch)

    def published(self, files: int) -> None:
        self._metrics.files_published.inc(files)

    def _count(self, batch: Batch) -> None:
        self._metrics.chunks_published.inc(batch.chunks)
        self._metrics.published_bytes.inc(sum(len(record.value or b"") for record in batch.records))
        for record in batch.records:
            if record.topic == self._names.dead_letters and record.value is not None:
                self._metrics.files_rejected.inc()
                self._metrics.dead_letters.labels(bounded(decode(DeadLetter, record.value).error_class)).inc()

    @contextmanager
    def _spans(self, batch: Batch) -> Iterator[None]:
        """Opens the spans. The id of a trace comes from the file's version: it stays over batches and restarts."""
        if not self._tracing.on:
            yield
            return
        headers: dict[str, list[Header]] = {}
        with ExitStack() as spans:
            for record in batch.records:
                if record.trace and record.trace not in headers:
                    spans.enter_context(self._tracing.span("publish", {}, trace_id=record.trace))
                    headers[record.trace] = self._tracing.headers()
            batch.headers = headers
            yield
