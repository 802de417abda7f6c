"""The panels of Grafana's dashboard, drawn from what Prometheus answers to their queries. Grafana draws them in its way."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import cycle
from typing import Any

import pygal
from pygal.style import Style

from tests.support.prometheus import Prometheus
from tools.dashboard import COLUMNS, dashboard

CELL_W, CELL_H, GAP = 60, 32, 8
TITLE_H, LEGEND_H = 30, 34
EVERY_S = 30
"""Between two times that are written below a plot."""
COLOURS = ("#2e7d32", "#1565c0", "#ef6c00", "#6a1b9a", "#c62828", "#00838f", "#9e9d24", "#5d4037")
CSS = """
body { margin: 0; background: #f4f5f7; font: 13px sans-serif; color: #24292e; position: relative; }
.panel { position: absolute; background: #fff; border: 1px solid #dde1e6; border-radius: 3px; overflow: hidden; }
.legend { font-size: 11px; line-height: 15px; margin: 0 8px; overflow: hidden; }
.legend span { white-space: nowrap; margin-right: 10px; }
h2, .row { font-size: 13px; font-weight: 600; margin: 7px 8px; white-space: nowrap; }
.row { position: absolute; margin: 5px 0; font-size: 15px; }
.stat { font-size: 32px; text-align: center; margin-top: 14px; color: #2e7d32; }
"""
STYLE = Style(
    background="white", plot_background="white", foreground_subtle="#d0d5db", guide_stroke_color="#e4e7eb",
    major_guide_stroke_color="#e4e7eb", colors=COLOURS, stroke_width=1.5, label_font_size=10, major_label_font_size=10,
)  # fmt: skip
Points = list[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Span:
    """What of the past is shown."""

    start_s: float
    end_s: float


def page(prometheus: Prometheus, span: Span) -> str:
    """HTML of all panels, each at its place."""
    panels = dashboard()["panels"]
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) * CELL_H + GAP
    drawn = "".join(_placed(panel, prometheus, span) for panel in panels)
    size = f"width:{COLUMNS * CELL_W + GAP}px;height:{height}px"
    return f'<!doctype html><meta charset="utf-8"><style>{CSS}</style><body style="{size}">{drawn}</body>'


def _placed(panel: dict[str, Any], prometheus: Prometheus, span: Span) -> str:
    at = panel["gridPos"]
    place = f"left:{at['x'] * CELL_W + GAP}px;top:{at['y'] * CELL_H + GAP}px"
    title = escape(panel["title"])
    if panel["type"] == "row":
        return f'<div class="row" style="{place}">{title}</div>'
    width, height = at["w"] * CELL_W - GAP, at["h"] * CELL_H - GAP
    inner = _stat(panel, prometheus) if panel["type"] == "stat" else _plot(panel, prometheus, span, width, height)
    return f'<div class="panel" style="{place};width:{width}px;height:{height}px"><h2>{title}</h2>{inner}</div>'


def _stat(panel: dict[str, Any], prometheus: Prometheus) -> str:
    found = prometheus.query(panel["targets"][0]["expr"])
    value = _shown(float(found[0]["value"][1]), panel) if found else "no data"
    return f'<div class="stat">{value}</div>'


def _plot(panel: dict[str, Any], prometheus: Prometheus, span: Span, width: int, height: int) -> str:
    chart = pygal.XY(
        width=width, height=height - TITLE_H - LEGEND_H, style=STYLE, js=(), disable_xml_declaration=True,
        explicit_size=True, show_dots=False, allow_interruptions=True, show_legend=False, margin=4, spacing=6,
        max_scale=5, include_x_axis=True, show_x_guides=False,
        value_formatter=lambda value: _shown(value, panel), x_value_formatter="{:.0f} s".format,
        xrange=(0, span.end_s - span.start_s),
    )  # fmt: skip
    chart.x_labels = range(0, int(span.end_s - span.start_s) + 1, EVERY_S)
    lines = list(_lines(panel, prometheus, span))
    for legend, points in lines:
        chart.add(legend, points)
    return f"{chart.render(is_unicode=True)}{_legend([legend for legend, _ in lines])}"


def _legend(names: list[str]) -> str:
    boxes = (
        f'<span><b style="color:{colour}">■</b> {escape(name)}</span>'
        for name, colour in zip(names, cycle(COLOURS), strict=False)
        if name
    )
    return f'<div class="legend">{" ".join(boxes)}</div>'


def _lines(panel: dict[str, Any], prometheus: Prometheus, span: Span) -> Iterator[tuple[str, Points]]:
    """Legend, and a value for each second: None where there is none."""
    for target in panel["targets"]:
        found = prometheus.query_range(target["expr"], start_s=span.start_s, end_s=span.end_s, step_s=1)
        for series in found:
            legend = target["legendFormat"]
            for name, value in series["metric"].items():
                legend = legend.replace("{{" + name + "}}", value)
            yield legend, list(_points(dict(series["values"]), span))


def _points(values: dict[float, str], span: Span) -> Iterator[tuple[float, float | None]]:
    by_second = {round(time_s - span.start_s): float(value) for time_s, value in values.items()}
    for second in range(int(span.end_s - span.start_s) + 1):
        value = by_second.get(second, math.nan)
        yield second, value if math.isfinite(value) else None


def _shown(value: float, panel: dict[str, Any]) -> str:
    """As Grafana would, about."""
    defaults = panel["fieldConfig"]["defaults"]
    if defaults.get("decimals") == 0:
        value = round(value)
    match unit := defaults["unit"]:
        case "percentunit":
            return f"{100 * value:.3g} %"
        case "s":
            return f"{value:.3g} s" if value < 120 else f"{value / 60:.3g} min"
        case "bytes" | "Bps":
            return f"{_scaled(value)}B{'/s' if unit == 'Bps' else ''}"
        case _:
            return _scaled(value).strip()


def _scaled(value: float) -> str:
    for prefix in ("", "k", "M"):
        if abs(value) < 1000:
            return f"{value:.3g} {prefix}"
        value /= 1000
    return f"{value:.3g} G"
