"""What of the sink's work is counted, measured and traced."""

import shutil
import time
from collections import defaultdict
from pathlib import Path

from messaging.record import Record
from output.index.rows import Totals
from output.segments.naming import Segment
from telemetry.metrics import SinkMetrics
from telemetry.telemetry import Telemetry
from telemetry.tracing import Header

Taken = tuple[int, tuple[Header, ...], int]
"""Of a record: its time on the topic in ms, its headers where they are needed, and when it was read, in ns."""


class Observer:
    """Of one life of the sink: what it had taken and not written is taken again in the next."""

    def __init__(self, telemetry: Telemetry[SinkMetrics], results: Path) -> None:
        self._metrics = telemetry.metrics
        self._tracing = telemetry.tracing
        self._results = results
        self._taken: dict[int, list[Taken]] = defaultdict(list)

    def took(self, record: Record) -> None:
        headers = record.headers if self._tracing.on else ()
        self._taken[record.partition].append((record.timestamp_ms, headers, time.time_ns()))

    def wrote(self, segment: Segment) -> None:
        """All that was taken of the segment's partition is in it."""
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

    def reported(self, totals: Totals) -> None:
        self._metrics.documents.set(totals.documents)
        self._metrics.documents_waiting.set(totals.waiting)


def watch_disk(metrics: SinkMetrics, root: Path) -> None:
    """Gauges that look when they are asked."""
    metrics.disk_free_bytes.set_function(lambda: shutil.disk_usage(root).free)
    metrics.disk_bytes.set_function(lambda: shutil.disk_usage(root).total)
