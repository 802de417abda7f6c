import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.status.rates import WINDOW_S, Rates, Window


def test_a_steady_stream_has_its_rate():
    window = Window()
    for second in range(100):
        for _ in range(5):
            window.add(second + 0.5, pairs=2, tokens=100, now_s=second + 1)
    rates = window.rates(100)
    assert (rates.chunks, rates.pairs, rates.completion_tokens) == pytest.approx((5, 10, 500), rel=0.02)
    assert rates.seconds_for(600) == pytest.approx(120, rel=0.02)


def test_what_began_a_moment_ago_is_not_spread_over_a_minute():
    window = Window()
    for _ in range(40):
        window.add(100, pairs=0, tokens=0, now_s=110)
    assert window.rates(110).chunks == 4


@given(st.lists(st.floats(0, 1000)), st.floats(0, 1000))
def test_only_the_window_counts(times, now_s):
    window = Window()
    for time_s in times:
        window.add(time_s, pairs=1, tokens=1, now_s=now_s)
    assert window.rates(now_s).chunks <= max(1, len([t for t in times if t > now_s - WINDOW_S]))
    assert window.rates(now_s + 2 * WINDOW_S + 1000) == Rates()


def test_without_a_rate_nothing_is_promised():
    assert Rates().seconds_for(5) is None
