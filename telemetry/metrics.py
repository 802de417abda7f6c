"""The metrics of each process for Prometheus, one class for each kind of process.

Labels have few values, all known in advance; endpoints are as many as are configured. Names
follow https://prometheus.io/docs/practices/naming/. docs/metrics.md is made from these classes.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.error_classes import ERROR_CLASSES, Retry

CALL_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640)
COMMIT_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
WAIT_BUCKETS_S = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 7 * 24 * 3600,
)  # fmt: skip
"""Buckets up to a week, because a backlog may take that long."""
REASONS = frozenset(each.name for each in ERROR_CLASSES.values() if each.in_letters)
"""Error classes that a dead letter may have."""
RETRIED = tuple(sorted(each.name for each in ERROR_CLASSES.values() if each.retry is not Retry.NEVER))
"""Error classes after which a call is made again."""
CALL_OUTCOMES = ("ok", *sorted(each.name for each in ERROR_CLASSES.values() if each.of_call))
"""Outcomes of a call to a model server."""
OTHER = "other"


def bounded(reason: str) -> str:
    """The value of a label for an error class: `other` for unknown classes, so that no message becomes a series."""
    return reason if reason in REASONS else OTHER


class ProcessMetrics:
    """Metrics of every process, and helpers that make a metric in its registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.ready = self.gauge("ready", "1 while the process is ready, as /readyz says.")

    def counter(self, name: str, text: str, *labels: str, values: Iterable[str] = ()) -> Counter:
        """Make a counter. `values` of its one label begin at 0, because Prometheus sees no rise from nothing to 1."""
        counter = Counter(f"qastream_{name}", text, labels, registry=self.registry)
        for value in values:
            counter.labels(value)
        return counter

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"qastream_{name}", text, labels, registry=self.registry)

    def histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"qastream_{name}", text, labels, buckets=buckets, registry=self.registry)


class WriterMetrics(ProcessMetrics):
    """Metrics of a process that writes to Kafka in transactions."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.transactions = self.counter(
            "transactions", "Transactions, by outcome.", "outcome", values=("committed", "failed")
        )
        self.transaction_seconds = self.histogram(
            "transaction_seconds", "Seconds from the begin to the end of a committed transaction.", COMMIT_BUCKETS_S
        )
        self.dead_letters = self.counter("dead_letters", "Dead letters committed, by reason: the error class, or "
            "other.", "reason", values=sorted(REASONS | {OTHER}))  # fmt: skip


class ProducerMetrics(WriterMetrics):
    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.files = self.gauge(
            "files", "Files in the directory at the last scan, without those that --include and --exclude leave out."
        )
        self.files_waiting = self.gauge("files_waiting", "Files that can't be published yet, because they are still "
            "being written or are unreadable.")  # fmt: skip
        self.files_published = self.counter("files_published", "File versions whose last chunk was committed.")
        self.files_rejected = self.counter("files_rejected", "File versions that went to the dead letters.")
        self.chunks_published = self.counter("chunks_published", "Chunks committed.")
        self.published_bytes = self.counter("published_bytes", "Bytes of committed records, before compression.")
        self.unfinished = self.gauge("chunks_unfinished", "Published chunks of this source without an outcome, from "
            "ledger and results. It is not the consumer lag.")  # fmt: skip


class WorkerMetrics(WriterMetrics):
    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.chunks = self.counter(
            "chunks", "Chunks with a committed outcome, by status.", "status", values=("ok", "empty", "failed")
        )
        self.pairs = self.counter(
            "pairs", "Pairs in committed results, by outcome (accepted, rejected) and type.", "outcome", "type"
        )
        self.chunk_seconds = self.histogram(
            "chunk_seconds", "Seconds from a chunk's publication to the commit of its outcome.", WAIT_BUCKETS_S
        )
        self.in_hand = self.gauge("chunks_in_hand", "Chunks that were read and have no outcome yet.")
        self.partitions = self.gauge("partitions_assigned", "Partitions assigned to this worker.")
        self.rebalances = self.counter("rebalances", "Assignments of partitions to this worker.")
        self.calls = self.counter(
            "model_calls", "Ended calls, by endpoint and outcome: ok, or the error class.", "endpoint", "outcome"
        )
        self.call_seconds = self.histogram(
            "model_call_seconds", "Seconds of an answered call at the server.", CALL_BUCKETS_S, "endpoint"
        )
        self.retries = self.counter(
            "retries", "Repeated calls, by the error class of the call before.", "error_class", values=RETRIED
        )
        self.tokens = self.counter("tokens", "Tokens counted by the server, by kind: prompt, cached_prompt (part of "
            "prompt), completion.", "endpoint", "kind")  # fmt: skip
        self.wrapped_answers = self.counter(
            "wrapped_answers", "Answers with something before their JSON: a fence, thoughts or words.", "endpoint"
        )
        self.model_in_flight = self.gauge("model_calls_in_flight", "Calls in flight.", "endpoint")
        self.model_limit = self.gauge(
            "model_limit", "Largest number of calls in flight that the limit allows now; 0 while paused.", "endpoint"
        )
        self.model_up = self.gauge(
            "model_up", "1 while the endpoint answers, 0 while the worker waits for it.", "endpoint"
        )
        self.model_queue = self.gauge("model_queue", "Requests of all clients at the server when it was last asked, by "
            "state: running, waiting.", "endpoint", "state")  # fmt: skip
        self.cache_lookups = self.counter("cache_lookups", "Look-ups in the generation cache, by result. There are "
            "none with --no-cache.", "result", values=("hit", "miss"))  # fmt: skip


class SinkMetrics(ProcessMetrics):
    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.results = self.counter("results_written", "Records of qa.results that are on disk.")
        self.segments = self.counter("segments_written", "Segments closed.")
        self.written_bytes = self.counter("written_bytes", "Bytes of closed segments, without merges.")
        self.delay_seconds = self.histogram(
            "sink_delay_seconds", "Seconds from a result's record on the topic to its line on disk.", WAIT_BUCKETS_S
        )
        self.documents = self.gauge("documents_complete", "Documents with an outcome on disk for every chunk.")
        self.documents_waiting = self.gauge(
            "documents_waiting", "Documents in the ledger that are not complete on disk."
        )
        self.disk_free_bytes = self.gauge(
            "disk_free_bytes", "Free bytes for the sink on the file system of the output directory."
        )
        self.disk_bytes = self.gauge("disk_bytes", "Size of the file system of the output directory in bytes.")
        self.starts_over = self.counter(
            "sink_starts_over", "Troubles after which the sink started over from the state on disk."
        )


PROCESSES: dict[str, type[ProcessMetrics]] = {"producer": ProducerMetrics, "worker": WorkerMetrics, "sink": SinkMetrics}
