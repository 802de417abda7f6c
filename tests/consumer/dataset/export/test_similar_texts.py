"""Near-duplicates against comparing each with each."""

import random
import sqlite3

from consumer.dataset.export.similar_texts import Neighbours
from consumer.dataset.export.similarity import fold, jaccard, shingles

THRESHOLD = 0.8


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
    near = Neighbours(sqlite3.connect(":memory:"), "t", threshold=THRESHOLD)
    texts, found, expected = corpus(500), set(), set()
    sets = [shingles(fold(text)) for text in texts]
    for number, text in enumerate(texts):
        alike = {other: jaccard(sets[number], sets[other]) for other in range(number)}
        expected |= {(number, other) for other, similarity in alike.items() if similarity >= THRESHOLD}
        neighbours = near.near(text)
        assert all(neighbour.similarity == alike[neighbour.number] for neighbour in neighbours)
        assert [-n.similarity for n in neighbours] == sorted(-n.similarity for n in neighbours)
        found |= {(number, neighbour.number) for neighbour in neighbours}
        near.add(number, text)
    assert found <= expected
    assert len(expected) > len({number for number, _ in expected}) > 100  # some have several
    assert len(expected - found) <= 0.02 * len(expected)


def test_texts_of_another_set_are_not_compared():
    db = sqlite3.connect(":memory:")
    one, other = Neighbours(db, "one", threshold=THRESHOLD), Neighbours(db, "other", threshold=THRESHOLD)
    one.add(1, "电压是多少？")
    assert [neighbour.number for neighbour in one.near("电压是多少")] == [1]
    assert other.near("电压是多少") == []
