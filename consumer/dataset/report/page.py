"""Renders a report as one HTML page without scripts, external fonts or network access."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from consumer.dataset.report import plots
from consumer.dataset.report.highlight import pieces, spans
from consumer.dataset.report.numbers import PairNumbers, Report, UsageNumbers
from consumer.dataset.report.spread import Spread

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing is described in `words` to readers who can't see it."""

    title: str
    words: str
    svg: Markup


def render(report: Report) -> str:
    """Returns the page. All texts are escaped, because documents and answers may hold anything."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= FILTERS
    style = Markup((FOLDER / "page.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return environment.get_template("page.html").render(
        report=report,
        style=style,
        unfinished=report.documents.waiting + report.documents.reading + report.documents.rejected,
        usage=_usage(report.usage),
        type_plots=list(_type_plots(report)),
        rejection_plots=list(_rejection_plots(report)),
        score_plots=[
            _histogram(f"Score: {name}", "", spread) for name, spread in report.scores.items() if _is_total(name)
        ],
        length_plots=[_histogram(f"Length: {name}", "characters", spread) for name, spread in report.lengths.items()],
        sample=[
            (shown, list(pieces(shown.text, spans(shown.pair, shown.text, shown.start)))) for shown in report.sample
        ],
    )


def _type_plots(report: Report) -> Iterator[Plot]:
    if report.types:
        words = "; ".join(map(_shares_in_words, report.types))
        yield Plot("Share of each type", words, _drawing(plots.shares(report.types)))
        words = "; ".join(f"{g.name}: {g.kept} kept, {g.rejected} rejected" for g in report.types)
        yield Plot("Kept and rejected", words, _drawing(plots.outcomes(report.types)))


def _rejection_plots(report: Report) -> Iterator[Plot]:
    if report.rejections:
        words = "; ".join(f"{check}: {count}" for check, count in report.rejections.items())
        yield Plot("Rejections by check", words, _drawing(plots.counts("rejections", report.rejections)))


def _is_total(score: str) -> bool:
    """Tells whether a score is a total. Single criteria have no plot: a recipe may have a dozen of them."""
    return "." not in score and not score.startswith("text ")


def _histogram(title: str, unit: str, spread: Spread) -> Plot:
    words = (
        f"{spread.count} values, from {spread.least:g} to {spread.most:g}{unit and f' {unit}'}, "
        f"half of them up to {spread.median:g}"
    )
    name = "".join(c if c.isalnum() else "-" for c in title.lower())
    return Plot(title, words, _drawing(plots.histogram(name, spread)))


def _shares_in_words(group: PairNumbers) -> str:
    return f"{group.name}: {_percent(group.planned_share)} planned, {_percent(group.kept_share)} kept"


def _drawing(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - made as XML, so its texts are escaped


def _usage(usage: UsageNumbers) -> list[tuple[str, int]]:
    return [
        ("Prompt tokens", usage.prompt_tokens),
        ("of them in the server's prefix cache", usage.cached_prompt_tokens),
        ("Completion tokens", usage.completion_tokens),
        ("Model calls", usage.calls),
        ("Calls answered from the cache", usage.cached_calls),
    ]


def _breakable(name: str) -> Markup:
    """Returns the name with places at which a line may break."""
    return Markup("<wbr>").join(re.split(r"(?<=[._])", name))


def _by_name(scores: dict[str, float]) -> list[tuple[str, float, list[tuple[str, float]]]]:
    """Returns the total scores, each with the scores of its criteria."""
    criteria = defaultdict[str, list[tuple[str, float]]](list)
    for name, mark in scores.items():
        total, dot, criterion = name.partition(".")
        if dot:
            criteria[total].append((criterion, mark))
    return [(total, value, criteria[total]) for total, value in scores.items() if "." not in total]


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def _number(value: float) -> str:
    return f"{value:,.10g}"


def _short(value: float | None) -> str:
    """Returns the value with three digits, which are enough for a mean."""
    return "–" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _when(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"


def _money(value: float | None) -> str:
    return "–" if value is None else f"{value:,.6f}".rstrip("0").rstrip(".") or "0"


FILTERS = {
    "count": _count, "percent": _percent, "number": _number, "short": _short, "money": _money, "when": _when,
    "by_name": _by_name, "breakable": _breakable,
}  # fmt: skip
