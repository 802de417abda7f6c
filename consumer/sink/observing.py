"""Counts, measures and traces the work of the sink."""

import shutil
import time
from collections import defaultdict
from pathlib import Path

from messaging.record import Record
from output.index.rows import IndexTotals
from output.segments.naming import Segment
from telemetry.metrics import SinkMetrics
from telemetry.telemetry import Telemetry
from telemetry.tracing import Header

Taken = tuple[int, tuple[Header, ...], int]
"""A record's time on the topic in ms, its headers if tracing is on, and the time of its reading in ns."""


class SinkObserver:
    """Observes one life of the sink. The next life reads the records again that were not written."""

    def __init__(self, telemetry: Telemetry[SinkMetrics], results: Path) -> None:
        self._metrics = telemetry.metrics
        self._tracing = telemetry.tracing
        self._results = results
        self._taken: dict[int, list[Taken]] = defaultdict(list)

    def took(self, record: Record) -> None:
        headers = record.headers if self._tracing.on else ()
        self._taken[record.partition].append((record.timestamp_ms, headers, time.time_ns()))

    def wrote(self, segment: Segment) -> None:
        """Accounts for all records that were taken from the segment's partition: they are in the segment."""
        taken = self._taken.pop(segment.partition, [])
        self._metrics.segments.inc()
        self._metrics.results.inc(len(taken))
        self._metrics.written_bytes.inc((self._results / segment.name).stat().st_size)
        now_ms = time.time() * 1000
        for published_ms, headers, began_ns in taken:
            self._metrics.delay_seconds.observe(max(0.0, now_ms - published_ms) / 1000)
            if headers:
                with self._tracing.span("write result", {"segment": segment.name}, parent=headers, start_ns=began_ns):
                    pass

    def reported(self, totals: IndexTotals) -> None:
        self._metrics.documents.set(totals.documents)
        self._metrics.documents_waiting.set(totals.waiting)


def watch_disk(metrics: SinkMetrics, root: Path) -> None:
    """Sets the gauges of the disk, which measure when they are read."""
    metrics.disk_free_bytes.set_function(lambda: shutil.disk_usage(root).free)
    metrics.disk_bytes.set_function(lambda: shutil.disk_usage(root).total)
