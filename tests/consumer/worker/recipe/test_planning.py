from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.recipe import load_recipe
from configs.recipe_parts import PairPlan
from consumer.worker.recipe.planning import SCALE, drawn, plan_of
from schemas import PairType
from tests.support.chunks import make_chunk

PROPORTIONS = {PairType.FACTUAL: 15, PairType.COMPARATIVE: 15, PairType.REASONING: 50, PairType.OPEN: 20}
WHOLE = sum(PROPORTIONS.values())


def plan(pairs: int) -> PairPlan:
    return PairPlan(pairs=pairs, proportions={kind.value: part for kind, part in PROPORTIONS.items()})


@given(
    st.integers(0, SCALE - 1), st.integers(1, 100), st.lists(st.integers(0, 1000), min_size=4, max_size=4).filter(any)
)
def test_a_chunk_has_each_types_part_rounded_up_or_down_and_all_together(share: int, wanted: int, parts: list[int]):
    counts = drawn(share, wanted, dict(zip(PairType, parts, strict=True)))
    assert sum(counts.values()) == wanted
    assert all(abs(counts[kind] - wanted * part / sum(parts)) < 1 for kind, part in zip(PairType, parts, strict=True))


@pytest.mark.parametrize("pairs", [1, 2, 3, 5, 10])
def test_the_plan_is_unbiased(pairs: int):
    """Given shares at equal steps, each type gets exactly its part."""
    every = [drawn((2 * step + 1) * SCALE // (2 * WHOLE), pairs, PROPORTIONS) for step in range(WHOLE)]
    assert {kind: sum(counts[kind] for counts in every) for kind in PROPORTIONS} == {
        kind: part * pairs for kind, part in PROPORTIONS.items()
    }


@pytest.mark.parametrize("chunks", [1, 7, 50, 500])
@pytest.mark.parametrize("pairs", [1, 2, 3, 5, 10])
@settings(max_examples=10)
@given(name=st.text(max_size=10))
def test_proportions_hold_over_a_run_within_sampling_error(chunks: int, pairs: int, name: str):
    """Returns six standard deviations of a sum of counts that are each rounded up or down."""
    plans = [plan_of(make_chunk(f"{name} text {n}"), plan(pairs), "en") for n in range(chunks)]
    for kind, part in PROPORTIONS.items():
        exact = pairs * part / WHOLE
        error = sqrt(chunks * (exact % 1) * (1 - exact % 1))
        assert abs(sum(each.get(kind, 0) for each in plans) - chunks * exact) <= max(1, 6 * error)
    assert all(sum(each.values()) == pairs for each in plans)


def test_equal_texts_have_equal_plans_wherever_they_stand():
    standard = load_recipe("standard").plan
    assert plan_of(make_chunk("Text."), standard, "en") == plan_of(make_chunk("Text.", 7, path="b"), standard, "en")
    assert len({tuple(plan_of(make_chunk(f"Text {n}."), standard, "en")) for n in range(40)}) > 1
