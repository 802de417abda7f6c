from hypothesis import given
from hypothesis import strategies as st

from consumer.dataset.report.highlight import pieces, spans

TEXT = st.text(alphabet="a电\n ", max_size=80)
QUOTES = st.lists(st.tuples(st.integers(-5, 90), st.integers(-5, 90)), max_size=4)


@given(TEXT, QUOTES, st.integers(0, 10))
def test_pieces_are_the_text_and_quotes_are_marked(text, quotes, context):
    found = list(pieces(text, quotes, context=context))
    assert "".join(piece.text for piece in found) == text
    assert all(piece.text for piece in found)
    marked = [piece.kind == "quote" for piece in found for _ in piece.text]
    assert marked == [any(start <= at < end for start, end in quotes) for at in range(len(text))]


def test_what_is_further_away_is_apart():
    found = list(pieces("0123456789", [(4, 6)], context=2))
    assert [(piece.kind, piece.text) for piece in found] == [
        ("far", "01"), ("near", "23"), ("quote", "45"), ("near", "67"), ("far", "89"),
    ]  # fmt: skip


def test_without_a_quote_the_beginning_is_near():
    assert [(piece.kind, piece.text) for piece in pieces("01234567", [], context=2)] == [
        ("near", "0123"),
        ("far", "4567"),
    ]


def test_spans_are_those_of_evidence_that_stands_there():
    quotes = [
        {"text": "bc", "start": 11, "end": 13},
        {"text": "xx", "start": 10, "end": 12},
        {"text": "a", "start": 3, "end": 4},
    ]
    assert spans({"evidence": quotes}, "abcd", 10) == [(1, 3)]
    assert spans({}, "abcd", 10) == []
