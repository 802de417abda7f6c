"""docs/metrics.md: every metric, from the classes that make them."""

from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric

from telemetry.metrics import PROCESSES, ProcessMetrics
from tools.places import ROOT

PAGE = ROOT / "docs" / "metrics.md"

HEAD = """\
# Metrics, health, traces

*The table is made from the code (`python -m tools`); a test fails when it is not.*

Each process (`python -m producer`, `python -m consumer`, `python -m consumer sink`) serves three addresses with
`--metrics-port` (`QASTREAM_METRICS_PORT`); without it, none. They are on 127.0.0.1 unless `--metrics-host` says
otherwise: in a container, 0.0.0.0. `python -m pipeline --metrics-port 9400` gives the producer 9400, the sink 9401 and
its workers 9402 and up. No address asks who is there: let the network decide who may reach the port.

| address | says |
|---|---|
| `/metrics` | what is below, and the process's CPU, memory and files (`process_…`) |
| `/livez` | 200 from the loop that does the work; no answer from one that hangs: restart it |
| `/readyz` | 200, or 503 with the reasons as JSON |

Not ready is a process that hears no Kafka broker for 7 s; a worker that is no member of its group, or whose
transactions have failed for 10 s; a sink that can't write. A model server that is away makes no worker unready: the
worker waits and goes on by itself, and a restart would help nobody. `qastream_model_up` says so instead.

Counters rise by what is committed: a transaction that failed and was repeated counts once. So, from an empty topic on,
`sum(qastream_chunks_total)` over all workers that ever ran is the number of results. (One that is killed between a
commit and the next scrape takes with it what it had not told; `python -m consumer verify` counts records.)

The backlog is `qastream_chunks_unfinished`, told by the producer from ledger and results. Consumer lag is not it: it
counts transaction markers, and finished chunks behind a slow one.
"""
TAIL = """\
## Dashboard and alerts

`deploy/grafana/dashboards/qastream.json` is Grafana's dashboard (made by `python -m tools`), with vLLM's
own metrics where Prometheus scrapes it too. `deploy/prometheus/alerts.yml` has rules for: no progress with a backlog,
dead letters, many failures, an endpoint that is out, a process that is not ready or gone, failing transactions, endless
rebalances, a sink that is behind or stuck, a full disk, files that can't be read. Each says what to do. They are tested
with `promtool test rules deploy/prometheus/alerts.test.yml`. And a test lets a real Prometheus look at a real run:
every query of the dashboard and every series of the rules must find data there.

![The dashboard's panels](images/dashboard.png)

The picture was drawn by `make screenshots` from what Prometheus answered to the dashboard's queries; Grafana, which
draws them in its own way, was not run. A model server died in that run, and a file was no text.

## Status on a terminal

    python -m pipeline status --watch --metrics http://worker-1:9400/metrics,http://worker-2:9400/metrics

![status](status.svg)

Files, chunks, speed and dead letters come from the topics; members and the backlog of each partition from the
committed offsets of the group: both are true whatever machines the workers are on, and need no port. Only what Kafka
does not know, limits and queues of the model servers, is asked of the workers at `--metrics`. `--json` is for scripts,
`--svg FILE` draws it. It reads all of `qa.results`; `--quick` reads the last minute of it, and leaves out what only the
whole would tell. Of `qa.chunks` it reads at most 2,000 records, to count them; a longer backlog of a partition is the
number of its offsets, shown as "up to".

## Traces

With the extra `traces` installed and `--otlp-endpoint http://collector:4318`, each process sends spans over OTLP/HTTP:
`publish` (producer) → `answer chunk` → `model call` (worker) → `write result` (sink). A file's version is one trace,
however many batches and processes it took: its id comes from what the file is. Between processes it goes as W3C's
`traceparent` in the headers of `qa.chunks` and `qa.results`, and in the request to the model server, where vLLM's own
spans (`--otlp-traces-endpoint`) join it. Spans hold ids and addresses, no text.
"""


def reference() -> str:
    parts = [HEAD, *(_section(name, make) for name, make in PROCESSES.items()), TAIL]
    return "\n".join(parts)


def names() -> frozenset[str]:
    """Of all series, as Prometheus sees them."""
    return frozenset(sample for make in PROCESSES.values() for metric in _metrics(make) for sample in _series(metric))


def _section(process: str, make: type[ProcessMetrics]) -> str:
    rows = [f"| `{_shown(m)}` | {m.type} | {_labels(m, make)} | {m.documentation} |" for m in _metrics(make)]
    return "\n".join([f"## {process}", "", "| name | type | labels | |", "|---|---|---|---|", *rows, ""])


def _metrics(make: type[ProcessMetrics]) -> list[Metric]:
    registry = CollectorRegistry()
    make(registry)
    return list(registry.collect())


def _shown(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def _series(metric: Metric) -> Iterator[str]:
    yield _shown(metric)
    if metric.type == "histogram":
        yield from (f"{metric.name}_{part}" for part in ("bucket", "count", "sum"))


def _labels(metric: Metric, make: type[ProcessMetrics]) -> str:
    instruments = vars(make(CollectorRegistry())).values()
    found = next(i for i in instruments if getattr(i, "_name", None) == metric.name)
    return ", ".join(found._labelnames)  # noqa: SLF001 - a metric without samples tells no labels


def pages() -> dict[Path, str]:
    return {PAGE: reference()}
