from hypothesis import given
from hypothesis import strategies as st

from consumer.worker.checks.evidence import Quotable

ANY = st.text(alphabet=st.sampled_from("ab1 2.,-~^%°²⁻中不，。\n“x×"), max_size=40) | st.text(max_size=40)


@given(ANY, ANY, st.integers(0, 10**9))
def test_what_is_found_is_the_text_itself(text, quote, start):
    for each in Quotable(text, start).located((quote,)):
        assert text[each.start - start : each.end - start] == each.text
        assert any(c.isalnum() for c in each.text)


@given(
    st.lists(st.sampled_from(["硅的厚度", "is 1.2 nm", "20～30 ℃", "（约）", "“a”-b", "10⁻³"]), min_size=1), st.data()
)
def test_whole_pieces_are_found_where_they_stand(pieces, data):
    text = "；".join(pieces)
    piece = data.draw(st.sampled_from(pieces))
    (found,) = Quotable(text, 5).located((piece,))
    assert found.text in (piece, piece + "；")


def test_a_quote_keeps_its_own_punctuation():
    text = "前言。**硅**的厚度，约２ nm。后记"
    (found,) = Quotable(text, 10).located(("硅的厚度,约2nm.",))
    assert (found.text, found.start) == ("硅**的厚度，约２ nm。", 15)


def test_no_quote_is_made_of_the_end_of_a_number_or_without_its_negation():
    text = "It is not 14.5 nm (10³ Å) thick, and −3 °C cold."
    assert Quotable(text, 0).located(("4.5 nm", "14", "10", "14.5 nm", "3 °C cold", "103 Å", "thic")) == ()
    assert [each.text for each in Quotable(text, 0).located(("10^3 Å", "-3 °C"))] == ["10³ Å", "−3 °C"]
