"""What each process counts and measures, for Prometheus. One class a process; each is given the registry it fills.

Labels have few values, all known beforehand but the endpoints', of which there are as many as are configured. Names
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
"""From a chunk's publication to its result: a backlog may be worked off over a night, or a week."""
REASONS = frozenset(each.name for each in ERROR_CLASSES.values() if each.in_letters)
"""Error classes that a dead letter may have."""
RETRIED = tuple(sorted(each.name for each in ERROR_CLASSES.values() if each.retry is not Retry.NEVER))
"""Error classes after which a call is made again."""
CALL_OUTCOMES = ("ok", *sorted(each.name for each in ERROR_CLASSES.values() if each.of_call))
"""How a call to a model server may end."""
OTHER = "other"


def bounded(reason: str) -> str:
    """The value of a label for an error class: `other` for unknown classes, so that no message becomes a series."""
    return reason if reason in REASONS else OTHER


class ProcessMetrics:
    """What every process has."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.ready = self.gauge("ready", "1 while /readyz says yes.")

    def counter(self, name: str, text: str, *labels: str, values: Iterable[str] = ()) -> Counter:
        """`_total` is added by the library. `values` of its one label begin at 0: a rise from nothing is not seen."""
        counter = Counter(f"qastream_{name}", text, labels, registry=self.registry)
        for value in values:
            counter.labels(value)
        return counter

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"qastream_{name}", text, labels, registry=self.registry)

    def histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"qastream_{name}", text, labels, buckets=buckets, registry=self.registry)


class WriterMetrics(ProcessMetrics):
    """Of a process that writes to Kafka in transactions."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.transactions = self.counter(
            "transactions", "Transactions, by outcome.", "outcome", values=("committed", "failed")
        )
        self.transaction_seconds = self.histogram(
            "transaction_seconds", "Seconds of a committed transaction, from its begin to its end.", COMMIT_BUCKETS_S
        )
        self.dead_letters = self.counter(
            "dead_letters",
            "Dead letters committed, by reason: the error class, or other.",
            "reason",
            values=sorted(REASONS | {OTHER}),
        )


class ProducerMetrics(WriterMetrics):
    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.files = self.gauge("files", "Wanted files in the directory at the last look.")
        self.files_waiting = self.gauge(
            "files_waiting", "Of them, those that can't be published yet: being written, or unreadable."
        )
        self.files_published = self.counter("files_published", "Versions of files whose last chunk was committed.")
        self.files_rejected = self.counter("files_rejected", "Versions of files that went to the dead letters.")
        self.chunks_published = self.counter("chunks_published", "Chunks committed.")
        self.published_bytes = self.counter("published_bytes", "Bytes of committed records, before compression.")
        self.unfinished = self.gauge(
            "chunks_unfinished",
            "Published chunks of this source that have no outcome yet, by ledger and results: not the group's lag.",
        )


class WorkerMetrics(WriterMetrics):
    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.chunks = self.counter(
            "chunks", "Chunks whose outcome was committed, by status.", "status", values=("ok", "empty", "failed")
        )
        self.pairs = self.counter(
            "pairs", "Pairs in committed results, by outcome (accepted, rejected) and type.", "outcome", "type"
        )
        self.chunk_seconds = self.histogram(
            "chunk_seconds", "Seconds from a chunk's publication to the commit of its outcome.", WAIT_BUCKETS_S
        )
        self.in_hand = self.gauge("chunks_in_hand", "Chunks read that have no outcome yet.")
        self.partitions = self.gauge("partitions_assigned", "Partitions that this worker answers.")
        self.rebalances = self.counter("rebalances", "Assignments of partitions to this worker.")
        self.calls = self.counter(
            "model_calls", "Calls that ended, by endpoint and outcome: ok, or the error class.", "endpoint", "outcome"
        )
        self.call_seconds = self.histogram(
            "model_call_seconds", "Seconds of an answered call, at the server.", CALL_BUCKETS_S, "endpoint"
        )
        self.retries = self.counter(
            "retries", "Calls made again, by the class of error before.", "error_class", values=RETRIED
        )
        self.tokens = self.counter(
            "tokens",
            "Tokens as the server counted them, by kind: prompt, cached_prompt (part of prompt), completion.",
            "endpoint",
            "kind",
        )
        self.model_in_flight = self.gauge("model_calls_in_flight", "Calls under way.", "endpoint")
        self.model_limit = self.gauge("model_limit", "Most calls that may be under way now; 0: paused.", "endpoint")
        self.model_up = self.gauge("model_up", "1 while the endpoint answers, 0 while it is waited for.", "endpoint")
        self.model_queue = self.gauge(
            "model_queue", "Everybody's requests at the server, as last seen: running, waiting.", "endpoint", "state"
        )
        self.cache_lookups = self.counter(
            "cache_lookups",
            "Look-ups in the generation cache, by result; none with --no-cache.",
            "result",
            values=("hit", "miss"),
        )


class SinkMetrics(ProcessMetrics):
    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.results = self.counter("results_written", "Records of qa.results that are on disk.")
        self.segments = self.counter("segments_written", "Segments closed.")
        self.written_bytes = self.counter("written_bytes", "Bytes of closed segments; merges are not counted.")
        self.delay_seconds = self.histogram(
            "sink_delay_seconds", "Seconds from a result's record on the topic to its line on disk.", WAIT_BUCKETS_S
        )
        self.documents = self.gauge("documents_complete", "Documents of which every chunk has an outcome on disk.")
        self.documents_waiting = self.gauge("documents_waiting", "Documents that the ledger promises and that are not.")
        self.disk_free_bytes = self.gauge("disk_free_bytes", "Free for the sink on the output's file system.")
        self.disk_bytes = self.gauge("disk_bytes", "Size of the output's file system.")
        self.starts_over = self.counter("sink_starts_over", "Troubles after which the sink began again from the disk.")


PROCESSES: dict[str, type[ProcessMetrics]] = {
    "producer": ProducerMetrics,
    "worker": WorkerMetrics,
    "sink": SinkMetrics,
}
