"""Writes Grafana's dashboard from a table of panels."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tools.places import ROOT

PAGE = ROOT / "deploy" / "grafana" / "dashboards" / "qastream.json"
SOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `queries` are expressions by legend; without any, it is a row's heading. Grafana knows `unit`."""

    title: str
    queries: dict[str, str] = field(default_factory=dict)
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 8
    description: str = ""
    whole: bool = False
    """Shows whole numbers, because `increase` extrapolates counts to fractions."""


def _stat(title: str, expression: str, unit: str = "short", description: str = "", *, whole: bool = False) -> Panel:
    return Panel(title, {"": expression}, unit, kind="stat", width=4, height=4, description=description, whole=whole)


def _rate(metric: str, *, by: str = "", where: str = "", over: str = "5m") -> str:
    """Return an expression for the rate per second, summed over all processes or by a label."""
    series = f"{metric}{{{where}}}" if where else metric
    return f"sum by ({by}) (rate({series}[{over}]))" if by else f"sum(rate({series}[{over}]))"


def _share(metric: str, where: str, *, of: str = "", over: str = "5m") -> str:
    """Return an expression for the part of a metric's rate that has the labels `where`."""
    return f"{_rate(metric, where=where, over=over)} / {_rate(metric, where=of, over=over)}"


def _quantiles(metric: str, by: str = "") -> dict[str, str]:
    labels = f"le, {by}" if by else "le"
    legend = f" {{{{{by}}}}}" if by else ""
    return {
        f"p{share * 100:.0f}{legend}": f"histogram_quantile({share}, {_rate(f'{metric}_bucket', by=labels)})"
        for share in (0.5, 0.9, 0.99)
    }


PANELS = (
    _stat("Chunks left", "sum(qastream_chunks_unfinished)", description="Published chunks without an outcome."),
    _stat("Time left", "sum(qastream_chunks_unfinished) / sum(rate(qastream_chunks_total[5m]))", "s",
          "At the speed of the last five minutes."),
    _stat("Chunks per second", _rate("qastream_chunks_total")),
    _stat("Accepted pairs per second", _rate("qastream_pairs_total", where='outcome="accepted"')),
    _stat("Tokens per second", _rate("qastream_tokens_total", where='kind="completion"'),
          description="Of completions."),
    _stat("Dead letters, 24 h", "sum(increase(qastream_dead_letters_total[24h]))", whole=True),
    Panel("Work"),
    Panel("Chunks per second, by status", {"{{status}}": _rate("qastream_chunks_total", by="status")}),
    Panel("Backlog", {"without outcome": "sum(qastream_chunks_unfinished)", "in hand": "sum(qastream_chunks_in_hand)"}),
    Panel("From publication to result", _quantiles("qastream_chunk_seconds"), "s"),
    Panel("Accepted pairs per second, by type",
          {"{{type}}": _rate("qastream_pairs_total", by="type", where='outcome="accepted"')}),
    Panel("Share of pairs rejected",
          {"": _share("qastream_pairs_total", 'outcome="rejected"', over="15m")}, "percentunit"),
    Panel("Dead letters in 5 minutes, by reason",
          {"{{reason}}": "sum by (reason) (increase(qastream_dead_letters_total[5m])) > 0"}, whole=True),
    Panel("Model servers"),
    Panel("Calls in flight and limit",
          {"in flight {{endpoint}}": "sum by (endpoint) (qastream_model_calls_in_flight)",
           "limit {{endpoint}}": "sum by (endpoint) (qastream_model_limit)"}),
    Panel("Queue at the server", {"{{state}} {{endpoint}}": "max by (endpoint, state) (qastream_model_queue)"},
          description="Requests of all clients; each worker sees the same number."),
    Panel("Seconds of a call", _quantiles("qastream_model_call_seconds", "endpoint"), "s"),
    Panel("Tokens per second", {"{{kind}}": _rate("qastream_tokens_total", by="kind")}),
    Panel("Calls that failed, and retries, per second",
          {"{{outcome}}": _rate("qastream_model_calls_total", by="outcome", where='outcome!="ok"') + " > 0",
           "retry: {{error_class}}": _rate("qastream_retries_total", by="error_class") + " > 0",
           "words around the JSON": _rate("qastream_wrapped_answers_total")}),
    Panel("Answers from a cache",
          {"generation cache": _share("qastream_cache_lookups_total", 'result="hit"'),
           "prompt tokens, vLLM's prefix cache":
               _share("qastream_tokens_total", 'kind="cached_prompt"', of='kind="prompt"')}, "percentunit"),
    Panel("Endpoints that answer", {"{{endpoint}}": "max by (endpoint) (qastream_model_up)"}),
    Panel("vLLM: KV cache in use", {"{{instance}}": "vllm:kv_cache_usage_perc"}, "percentunit"),
    Panel("vLLM: preemptions per second", {"{{instance}}": "rate(vllm:num_preemptions_total[5m])"}),
    Panel("Files in, results out"),
    Panel("Files", {"in the directory": "sum(qastream_files)", "waiting": "sum(qastream_files_waiting)",
                    "rejected": "sum(qastream_files_rejected_total)"}),
    Panel("Published per second", {"files": _rate("qastream_files_published_total"),
                                   "chunks": _rate("qastream_chunks_published_total")}),
    Panel("Bytes", {"published": _rate("qastream_published_bytes_total"),
                    "written": _rate("qastream_written_bytes_total")}, "Bps"),
    Panel("From topic to disk", _quantiles("qastream_sink_delay_seconds"), "s"),
    Panel("Documents", {"complete": "sum(qastream_documents_complete)", "waiting": "sum(qastream_documents_waiting)"}),
    Panel("Free on the output's disk", {"": "min(qastream_disk_free_bytes)"}, "bytes"),
    Panel("Kafka and processes"),
    Panel("Transactions per second", {"{{outcome}}": _rate("qastream_transactions_total", by="outcome")}),
    Panel("Seconds of a transaction", _quantiles("qastream_transaction_seconds"), "s"),
    Panel("Partitions, rebalances",
          {"partitions {{instance}}": "qastream_partitions_assigned",
           "rebalances, 5 m": "sum(increase(qastream_rebalances_total[5m]))"}, whole=True),
    Panel("Ready", {"{{job}} {{instance}}": "qastream_ready"}),
    Panel("CPU", {"{{job}} {{instance}}": "rate(process_cpu_seconds_total[5m])"}),
    Panel("Memory", {"{{job}} {{instance}}": "process_resident_memory_bytes"}, "bytes"),
)  # fmt: skip


def expressions() -> Iterator[str]:
    yield from (expression for panel in PANELS for expression in panel.queries.values())


def dashboard() -> dict[str, Any]:
    return {
        "uid": "qastream", "title": "QAStream", "tags": ["qastream"], "schemaVersion": 39, "editable": True,
        "refresh": "15s", "time": {"from": "now-1h", "to": "now"}, "panels": list(_placed()),
    }  # fmt: skip


def _placed() -> Iterator[dict[str, Any]]:
    """Yield the panels in rows, from left to right."""
    x = y = below = 0
    for number, panel in enumerate(PANELS, start=1):
        width, height = (panel.width, panel.height) if panel.queries else (COLUMNS, 1)
        if x + width > COLUMNS:
            x, y = 0, below
        yield _rendered(number, panel) | {"gridPos": {"x": x, "y": y, "w": width, "h": height}}
        x, below = x + width, y + height


def _rendered(number: int, panel: Panel) -> dict[str, Any]:
    if not panel.queries:
        return {"id": number, "type": "row", "title": panel.title, "collapsed": False, "panels": []}
    defaults = {"unit": panel.unit, "min": 0} | ({"decimals": 0} if panel.whole else {})
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for place, (legend, expression) in enumerate(panel.queries.items())
        ],
    }


def pages() -> dict[Path, str]:
    return {PAGE: orjson.dumps(dashboard(), option=orjson.OPT_INDENT_2).decode() + "\n"}
