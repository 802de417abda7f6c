"""When two texts are alike."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.dataset.export.similarity import PERMUTATIONS, band_rows, fold, jaccard, plain, shingles


@given(st.text(max_size=40), st.text(max_size=40))
def test_similarity_is_one_for_what_folds_alike_and_never_more(one, other):
    a, b = shingles(fold(one)), shingles(fold(other))
    assert 0 <= jaccard(a, b) == jaccard(b, a) <= 1
    assert jaccard(a, a) == 1
    assert fold(plain(one)) == fold(one)


@given(st.floats(0.05, 1))
def test_bands_find_what_reaches_the_threshold(threshold):
    rows = band_rows(threshold)
    assert 1 <= rows <= PERMUTATIONS
    assert rows == 1 or 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows) >= 0.99
