"""Quotas: exact, and as many as there can be."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import SettingsError
from consumer.dataset.export.proportions import DEFAULT, parse_proportions, quotas
from schemas import PairType

COUNTS = st.fixed_dictionaries({str(kind): st.integers(0, 60) for kind in PairType})
SHARES = st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any)


def shares_of(numbers):
    return {str(kind): Fraction(n, sum(numbers)) for kind, n in zip(PairType, numbers, strict=True)}


@given(COUNTS, SHARES)
def test_each_type_is_within_one_pair_of_its_share_and_more_pairs_are_not_possible(available, numbers):
    proportions = shares_of(numbers)
    found = quotas(available, proportions)
    total = sum(found.values())
    assert all(found[kind] <= available[kind] for kind in found)
    assert all(abs(found[kind] - share * total) < 1 for kind, share in proportions.items())
    for larger in range(total + 1, sum(available.values()) + 1):
        least = sum(int(share * larger) for share in proportions.values())
        most = sum(
            min(available[kind], -(-share.numerator * larger // share.denominator))
            for kind, share in proportions.items()
        )
        lowest_fits = all(int(share * larger) <= available[kind] for kind, share in proportions.items())
        assert not (lowest_fits and least <= larger <= most), larger


def test_the_default_is_what_the_recipe_asks_for():
    assert [float(share) for share in parse_proportions(DEFAULT).values()] == [0.15, 0.15, 0.5, 0.2]
    available = {"factual": 1000, "comparative": 1000, "reasoning": 100, "open": 1000}
    assert quotas(available, parse_proportions(DEFAULT)) == {
        "factual": 30, "comparative": 30, "reasoning": 100, "open": 41,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "factual", "factual=x", "other=1", "factual=0", "factual=-1,open=2", "open=1/0"])
def test_what_are_no_shares_is_refused(text):
    with pytest.raises(SettingsError, match="takes shares of types"):
        parse_proportions(text)
