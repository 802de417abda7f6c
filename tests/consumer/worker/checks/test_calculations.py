"""Numbers that a reasoning works out are calculated again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.worker.checks.numbers import Sources

TEXT = "The film is 40 nm thick and grows at 0.2 nm a minute; the yield rose from 60% to 75%. It took 4 h 10 min at 450 °C."


def unsupported(answer: str, reasoning: str = "", text: str = TEXT) -> list[str]:
    return list(Sources(text).unsupported("", answer, reasoning, ""))


@pytest.mark.parametrize(
    ("answer", "reasoning"),
    [
        ("200 min", "40 nm / 0.2 nm = 200"),
        ("about a quarter more", "(75 - 60) / 60 = 1/4"),
        ("40% were lost", "100% - 60% = 40%"),
        ("0.04 µm", "40 nm ÷ 1000 = 0.04 µm"),
        ("15 percentage points", "from 60% to 75% it is 15 points"),
        ("250 min", "4 × 60 + 10 = 250 min"),
        ("723 K", ""),
        ("12 nm an hour", "0.2 nm × 60 = 12 nm"),
        ("80 nm for two films", "2 × 40 nm = 80 nm"),
    ],
)
def test_what_is_worked_out_from_known_numbers_is_supported(answer, reasoning):
    assert unsupported(answer, reasoning) == []


@pytest.mark.parametrize(
    ("answer", "reasoning"),
    [
        ("300 min", "40 nm / 0.2 nm = 300"),
        ("45 nm", "The text says that the film is 45 nm thick."),
        ("40 µm", "The thickness is given as 40 µm."),
        ("20 percentage points", "75% - 60% = 20%"),
        ("90 nm for two films", "2 × 45 nm = 90 nm"),
        ("450 K", "It took place at 450 K."),
        ("0.2 nm an hour", ""),
    ],
)
def test_a_wrong_result_or_one_from_an_invented_number_is_not(answer, reasoning):
    assert unsupported(answer, reasoning) != []


def test_percentage_points_are_no_per_cent():
    assert unsupported("低20个百分点", text="透过率低约20%。") == ["20个百分点"]
    assert unsupported("低20%", text="透过率低约20%。") == []


@given(
    st.text(alphabet=st.sampled_from("0159.,+-×÷/=≈()^%的约为 nm即平方次方"), max_size=30),
    st.text(alphabet=st.sampled_from("0159.,+-×÷/=≈()^%的约为 nm即平方次方"), max_size=30),
)
def test_no_calculation_breaks_the_check(answer, reasoning):
    assert all(isinstance(each, str) for each in unsupported(answer, reasoning))
