"""Describes how values are spread, by quantiles and a histogram, in memory that does not grow with their number."""

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate

BARS = 24
STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar stands for `count` values from `low` to below `high`."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The quantiles of `count` values are values that occur; `bars` are adjacent and hold all values."""

    count: int
    least: float
    mean: float
    median: float
    p90: float
    most: float
    bars: tuple[Bar, ...]


def spread_of(values: Counter[int], *, unit: float = 1, scale: range | None = None) -> Spread | None:
    """Returns the spread of multiples of `unit` with their frequencies; None where there are none.

    `scale` has the edges of the bars, in units; by default the edges follow the values.
    """
    count = values.total()
    if not count:
        return None
    ordered = sorted(values)
    return Spread(
        count=count,
        least=_in(unit, ordered[0]),
        mean=_in(unit, sum(value * times for value, times in values.items()) / count),
        median=_in(unit, _quantile(values, ordered, 0.5)),
        p90=_in(unit, _quantile(values, ordered, 0.9)),
        most=_in(unit, ordered[-1]),
        bars=_bars(values, unit, scale),
    )


def _in(unit: float, value: float) -> float:
    return round(value * unit, 6)


def _quantile(values: Counter[int], ordered: list[int], share: float) -> int:
    """Returns the least value that is not exceeded by this share of the values."""
    rank = share * values.total()
    below = accumulate(values[value] for value in ordered)
    return next(value for value, reached in zip(ordered, below, strict=True) if reached >= rank)


def _bars(values: Counter[int], unit: float, scale: range | None) -> tuple[Bar, ...]:
    least, most = min([*values, *(scale or ())]), max([*values, *(scale or ())])
    width = bar_width(most - least + 1) if scale is None else scale.step
    filled = Counter[int]()
    for value, times in values.items():
        filled[value // width] += times
    places = range(least // width, most // width + 1)
    return tuple(Bar(_in(unit, place * width), _in(unit, (place + 1) * width), filled[place]) for place in places)


def bar_width(extent: int, *, bars: int = BARS) -> int:
    """Returns the least width of 1, 2, 5, 10, 20, 50 … at which this number of bars covers the extent."""
    scale = 1
    while True:
        for step in STEPS:
            if step * scale * bars >= extent:
                return step * scale
        scale *= 10
