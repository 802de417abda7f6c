from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from consumer.dataset.report.spread import BARS, bar_width, spread_of

VALUES = st.lists(st.integers(-5_000, 200_000), min_size=1, max_size=60)


@given(VALUES)
def test_bars_touch_and_hold_every_value_once(values):
    bars = spread_of(Counter(values)).bars
    assert [bar.count for bar in bars] == [sum(bar.low <= v < bar.high for v in values) for bar in bars]
    assert sum(bar.count for bar in bars) == len(values)
    assert all(a.high == b.low for a, b in pairwise(bars))
    assert len(bars) <= BARS + 1


@given(VALUES)
def test_quantiles_are_values_that_so_many_do_not_exceed(values):
    spread, ordered = spread_of(Counter(values)), sorted(values)
    assert (spread.least, spread.most, spread.count) == (ordered[0], ordered[-1], len(values))
    assert spread.median == ordered[(len(ordered) - 1) // 2]
    assert sum(v <= spread.p90 for v in values) >= 0.9 * len(values) > sum(v < spread.p90 for v in values)


def test_units():
    spread = spread_of(Counter({-100: 1, 35: 2, 100: 1}), unit=0.01)
    assert (spread.least, spread.median, spread.most, spread.mean) == (-1.0, 0.35, 1.0, 0.175)
    assert spread.bars[0].low == -1.0


@given(st.lists(st.integers(0, 100), min_size=1, max_size=60))
def test_bars_of_a_scale_are_the_same_whatever_the_values(values):
    bars = spread_of(Counter(values), unit=0.01, scale=range(0, 101, 10)).bars
    assert [bar.low for bar in bars] == [round(n / 10, 1) for n in range(11)]
    assert [bar.count for bar in bars] == [sum(value // 10 == n for value in values) for n in range(11)]


def test_of_nothing_there_is_none():
    assert spread_of(Counter()) is None


def test_widths_are_round():
    assert [bar_width(extent) for extent in (1, 24, 25, 100, 1000, 200_000)] == [1, 1, 2, 5, 50, 10_000]
