"""Draws plots as SVG without scripts or external parts, in the colours of the page's CSS variables."""

from collections.abc import Sequence
from typing import Any

import pygal
from pygal.style import Style

from consumer.dataset.report.numbers import PairNumbers
from consumer.dataset.report.spread import Spread, bar_width

WIDTH, HEIGHT = 360, 210
ROW_HEIGHT = 24
X_LABELS, Y_LABELS = 6, 5
LONGEST_LABEL = 24
FONT_SIZE = 12
PLANNED, KEPT, REJECTED = "var(--planned)", "var(--kept)", "var(--rejected)"


def shares(groups: Sequence[PairNumbers]) -> str:
    """Returns a bar chart of the planned and kept shares of each group, in percent."""
    chart = pygal.Bar(**_options("shares", PLANNED, KEPT, legend_at_bottom=True), range=(0, _highest(groups)))
    chart.x_labels = [_label(group.name) for group in groups]
    chart.value_formatter = "{:.0f} %".format
    chart.add("planned", [_percent(group.planned_share) for group in groups])
    chart.add("kept", [_percent(group.kept_share) for group in groups])
    return _svg(chart, "shares")


def outcomes(groups: Sequence[PairNumbers]) -> str:
    """Returns a bar chart of the kept and rejected pairs of each group."""
    height = ROW_HEIGHT * len(groups) + 90
    chart = pygal.HorizontalStackedBar(**_options("outcomes", KEPT, REJECTED, legend_at_bottom=True, height=height))
    chart.x_labels = [_label(group.name) for group in reversed(groups)]
    chart.value_formatter = _whole
    chart.add("kept", [group.kept for group in reversed(groups)])
    chart.add("rejected", [group.rejected for group in reversed(groups)])
    return _svg(chart, "outcomes")


def counts(name: str, counted: dict[str, int]) -> str:
    """Returns a bar chart of named numbers, in the given order from top to bottom."""
    height = ROW_HEIGHT * len(counted) + 60
    chart = pygal.HorizontalBar(**_options(name, REJECTED, show_legend=False, height=height))
    chart.x_labels = [_label(each) for each in reversed(counted)]
    chart.value_formatter = _whole
    chart.add("", list(reversed(counted.values())))
    return _svg(chart, name)


def histogram(name: str, spread: Spread) -> str:
    """Returns a histogram of how values are spread."""
    chart = pygal.Histogram(**_options(name, KEPT, show_legend=False, margin_right=24))
    chart.value_formatter = _whole
    chart.y_labels = _whole_steps(max(bar.count for bar in spread.bars))
    chart.x_value_formatter = "{:g}".format
    chart.x_labels = _edges(spread)
    chart.add("", [(bar.count, bar.low, bar.high) for bar in spread.bars])
    return _svg(chart, name)


def _whole_steps(most: int) -> list[int]:
    """Returns about `Y_LABELS` whole numbers from 0 to `most` or just above."""
    step = bar_width(-(-most // Y_LABELS), bars=1)
    return list(range(0, most + step, step))


def _edges(spread: Spread) -> list[float]:
    """Returns the edges of the bars, as many as there is room for."""
    edges = [spread.bars[0].low, *(bar.high for bar in spread.bars)]
    return edges[:: -(-len(edges) // X_LABELS)]


def _options(name: str, *colors: str, **more: Any) -> dict[str, Any]:
    return {
        "style": _style(colors), "js": (), "width": WIDTH, "height": HEIGHT, "margin": 4, "spacing": 8,
        "disable_xml_declaration": True, "show_x_guides": False, "truncate_label": -1, "legend_box_size": 10,
        "max_scale": 6, "min_scale": 3, "classes": ("plot", name), **more,
    }  # fmt: skip


def _style(colors: tuple[str, ...]) -> Style:
    ink = dict.fromkeys(("foreground", "foreground_strong"), "var(--ink)")
    lines = dict.fromkeys(("foreground_subtle", "guide_stroke_color", "major_guide_stroke_color"), "var(--line)")
    sizes = dict.fromkeys(
        ("label_font_size", "major_label_font_size", "legend_font_size", "value_font_size"), FONT_SIZE
    )
    backgrounds = dict.fromkeys(("background", "plot_background"), "transparent")
    return Style(
        **ink, **lines, **sizes, **backgrounds, opacity="1", opacity_hover="1", colors=colors, font_family="inherit"
    )


def _svg(chart: Any, name: str) -> str:
    """Returns the chart as SVG. The fixed name makes the same numbers give the same bytes."""
    chart.uuid = name
    chart.add_xml_filter(_only_drawing)
    svg: str = chart.render(is_unicode=True)
    return svg


def _only_drawing(root: Any) -> Any:
    """Removes scripts and comments of pygal, and hides the drawing from readers to whom the page describes it."""
    for parent in list(root.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag.endswith("script"):
                parent.remove(child)
    root.set("aria-hidden", "true")
    return root


def _label(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else ""


def _percent(share: float | None) -> float:
    return 100 * (share or 0)


def _highest(groups: Sequence[PairNumbers]) -> float:
    return max((_percent(share) for group in groups for share in (group.planned_share, group.kept_share)), default=100)
