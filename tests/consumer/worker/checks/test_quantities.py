import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.worker.checks.quantities import plain, quantities


@pytest.mark.parametrize(
    ("text", "value", "dimensions"),
    [
        ("2.5 MV/cm", 2.5e8, {"kg": 1, "m": 1, "s": -3, "A": -1}),
        ("250 V/µm", 2.5e8, {"kg": 1, "m": 1, "s": -3, "A": -1}),
        ("10平方厘米每伏秒", 1e-3, {"kg": -1, "s": 2, "A": 1}),
        ("10 cm²/(V·s)", 1e-3, {"kg": -1, "s": 2, "A": 1}),
        ("１２.６万亿元", 1.26e13, {"CNY": 1}),
        ("an hour and a half", 5400, {"s": 1}),
        ("百分之三十五", 0.35, {}),
        ("七成", 0.7, {}),
        ("10⁻²² A/μm", 1e-16, {"A": 1, "m": -1}),
        ("零下5 ℃", -5, {"degC": 1}),
        ("US$ 800", 800, {"USD": 1}),
        ("8 KiB", 65536, {"bit": 1}),
    ],
)
def test_a_number_is_read_with_its_unit(text, value, dimensions):
    (found,) = quantities(plain(text))
    assert found.size == pytest.approx(value)
    assert dict(found.unit.dimensions) == dimensions


def test_a_range_has_one_unit_and_names_have_no_numbers():
    assert [q.size for q in quantities(plain("LT95、DDR5-6400：20～30 nm；10 to 12 V"))] == pytest.approx(
        [2e-8, 3e-8, 10, 12]
    )


@given(st.text(alphabet=st.sampled_from("019.,-^×e 万亿半百分之两年%mµVK²⁻·/()每"), max_size=30))
def test_no_text_breaks_the_reading(text):
    shown = plain(text)
    assert all(0 <= q.start < q.end <= len(shown) for q in quantities(shown))
