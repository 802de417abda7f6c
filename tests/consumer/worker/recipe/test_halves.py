import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.worker.recipe.halves import LEAST_CHARACTERS, halves, middle
from schemas.ids import content_key
from tests.support.chunks import make_chunk


@given(st.text(min_size=LEAST_CHARACTERS, max_size=600), st.integers(0, 10**9))
def test_halves_are_the_chunk_and_know_their_places(text: str, start: int):
    chunk = make_chunk(text, start=start, headings=("A",))
    first, second = halves(chunk)
    assert first.text + second.text == text
    assert (first.start, first.end, second.end) == (start, second.start, chunk.end)
    assert min(len(first.text), len(second.text)) >= len(text) // 4
    assert second.content_key == content_key(second.text, ("A",))


def test_a_short_chunk_is_not_cut():
    assert halves(make_chunk("a" * (LEAST_CHARACTERS - 1))) is None


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("a. b\n\nc. d. e. f", "a. b\n\n"),
        ("硅是半导体，锗也是。砷化镓同样是。", "硅是半导体，锗也是。"),
        ("one two. three four five", "one two. "),
        ("one\ntwo three four", "one\ntwo "),
        ("abcdefgh", "abcd"),
    ],
)
def test_it_is_cut_at_the_best_boundary_near_the_middle(text: str, first: str):
    assert text[: middle(text)] == first
