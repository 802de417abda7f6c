"""Writes docs/metrics.md from the classes that make the metrics."""

from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric

from telemetry.metrics import PROCESSES, ProcessMetrics
from tools.places import ROOT

PAGE = ROOT / "docs" / "metrics.md"

HEAD = """\
# Metrics, health, traces

*The tables are made from the code (`python -m tools`); a test fails when they are out of date.*

Each process (`python -m producer`, `python -m consumer`, `python -m consumer sink`) serves three addresses on the port
`--metrics-port` (`QASTREAM_METRICS_PORT`); without it, none. They listen on 127.0.0.1 unless `--metrics-host` says
otherwise; use 0.0.0.0 in a container. `python -m pipeline --metrics-port 9400` gives the producer port 9400, the sink
9401 and its workers 9402 and up. The addresses ask for no password, so let the network decide who may reach the port.

| address | says |
|---|---|
| `/metrics` | the metrics below, and the process's CPU, memory and files (`process_…`) |
| `/livez` | 200 from the event loop that does the work; a process that hangs does not answer: restart it |
| `/readyz` | 200, or 503 with the reasons as JSON |

A process is not ready while it hears no Kafka broker for 7 s. A worker is not ready while it is no member of its group,
or when its transactions have failed for 10 s. A sink is not ready while it can't write. A model server that is away
makes no worker unready: the worker waits and continues by itself, and a restart would not help. `qastream_model_up`
shows such a server.

Counters count committed records: a transaction that failed and was repeated counts once. So, from an empty topic on,
`sum(qastream_chunks_total)` over all workers that ever ran is the number of results. (A worker that is killed between a
commit and the next scrape loses its last counts; `python -m consumer verify` counts records.)

The backlog is `qastream_chunks_unfinished`, which the producer calculates from ledger and results. Consumer lag is
something else: it counts transaction markers, and finished chunks behind a slow one.
"""
TAIL = """\
## Dashboard and alerts

`deploy/grafana/dashboards/qastream.json` is Grafana's dashboard (made by `python -m tools`). It shows vLLM's metrics
too, if Prometheus scrapes vLLM. `deploy/prometheus/alerts.yml` has rules for: no progress with a backlog, dead letters,
many failures, an endpoint that is out, a process that is not ready or gone, failing transactions, endless rebalances, a
sink that is behind or stuck, a full disk, files that can't be read. Each rule says what to do. `promtool test rules
deploy/prometheus/alerts.test.yml` tests them. Another test lets a real Prometheus scrape a real run: every query of the
dashboard and every series of the rules must find data there.

![The dashboard's panels](images/dashboard.png)

`make screenshots` drew the picture from Prometheus's answers to the dashboard's queries; Grafana itself, which draws
them a little differently, was not run. In that run a model server died, and one file was not text.

## Status on a terminal

    python -m pipeline status --watch --metrics http://worker-1:9400/metrics,http://worker-2:9400/metrics

![status](status.svg)

Files, chunks, speed and dead letters come from the topics. Members and the backlog of each partition come from the
committed offsets of the group. Both are right on whatever machines the workers run, and need no port. Only the limits
and queues of the model servers, which Kafka does not know, come from the workers at `--metrics`. `--json` is for
scripts, and `--svg FILE` draws a picture. The command reads all of `qa.results`; `--quick` reads only the last minute,
and leaves out the totals. It counts at most 2,000 records of `qa.chunks`; a longer backlog of a partition is the number
of its offsets, shown as "up to".

## Traces

With the extra `traces` installed and `--otlp-endpoint http://collector:4318`, each process sends spans over OTLP/HTTP:
`publish` (producer) → `answer chunk` → `model call` (worker) → `write result` (sink). One version
of a file is one trace, across all its batches and processes, because the trace id is calculated from document and
version. Between processes it travels as W3C's `traceparent` in the headers of `qa.chunks` and `qa.results`, and in the
request to the model server, where vLLM's own spans (`--otlp-traces-endpoint`) join it. Spans hold ids and addresses, no
text.
"""


def names() -> frozenset[str]:
    """Return the names of all series, as Prometheus sees them."""
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
    return {PAGE: "\n".join([HEAD, *(_section(name, make) for name, make in PROCESSES.items()), TAIL])}
