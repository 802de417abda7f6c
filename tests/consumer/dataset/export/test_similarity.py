"""Texts that are alike, also against comparing each with each."""

import random
import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from consumer.dataset.export.similarity import PERMUTATIONS, SimilarTexts, band_rows, fold, jaccard, plain, shingles

THRESHOLD = 0.8


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


def corpus(count: int) -> list[str]:
    """Sentences of chance words, and copies of earlier ones with a word or a letter changed."""
    choose = random.Random(7)
    words = ["".join(choose.choices("abcdefghijklmno", k=choose.randint(3, 8))) for _ in range(300)]
    texts: list[str] = []
    for _ in range(count):
        if texts and choose.random() < 0.5:
            copied = choose.choice(texts).split()
            copied[choose.randrange(len(copied))] = choose.choice(words)
            texts.append(" ".join(copied))
        else:
            texts.append(" ".join(choose.choices(words, k=choose.randint(5, 20))))
    return texts


def test_nearly_all_near_duplicates_are_found_and_nothing_else():
    texts_so_far = SimilarTexts(sqlite3.connect(":memory:"), threshold=THRESHOLD)
    texts, found, expected = corpus(500), set(), set()
    sets = [shingles(fold(text)) for text in texts]
    for number, text in enumerate(texts):
        alike = {other: jaccard(sets[number], sets[other]) for other in range(number)}
        expected |= {(number, other) for other, similarity in alike.items() if similarity >= THRESHOLD}
        similar = texts_so_far.similar_to(text)
        assert all(similarity == alike[other] for other, similarity in similar.items())
        found |= {(number, other) for other in similar}
        texts_so_far.add(number, text)
    assert found <= expected
    assert len(expected) > len({number for number, _ in expected}) > 100  # some have several
    assert len(expected - found) <= 0.02 * len(expected)
