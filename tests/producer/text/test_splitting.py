import random
import tracemalloc
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.text.splitting import Sizes, Split, split, splitter_hash
from tests.producer.text.texts import documents, paragraph, paragraphs

SIZES = st.integers(50, 400)


@given(documents, SIZES)
def test_chunks_reassemble_the_text(text: str, size: int) -> None:
    at = 0
    for chunk in split([text], Sizes(size=size)):
        assert text[at : chunk.start].strip() == ""  # only white space is left out
        assert text[chunk.start : chunk.end] == chunk.text
        assert 0 < len(chunk.text) <= size
        assert chunk.text.strip()
        at = chunk.end
    assert text[at:].strip() == ""


@given(documents.filter(lambda text: not any(line.isspace() for line in text.split("\n"))), SIZES)
def test_nothing_is_left_out_of_ordinary_text(text: str, size: int) -> None:
    if text.strip() and "\n" * 30 not in text:
        assert "".join(chunk.text for chunk in split([text], Sizes(size=size))) == text


@given(documents, SIZES, st.data())
def test_overlapping_chunks_have_exact_offsets(text: str, size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(1, size // 2))
    before = None
    for chunk in split([text], Sizes(size=size, overlap=overlap)):
        assert text[chunk.start : chunk.end] == chunk.text
        assert len(chunk.text) <= size
        if before:
            assert before.start < chunk.start
            assert before.end - overlap <= chunk.start
            assert before.end < chunk.end
        before = chunk


@given(documents, SIZES, st.integers(1, 40))
def test_pieces_make_no_difference(text: str, size: int, piece: int) -> None:
    pieces = [text[at : at + piece] for at in range(0, len(text), piece)]
    assert list(split(pieces, Sizes(size=size))) == list(split([text], Sizes(size=size)))


def test_chunks_are_neither_tiny_nor_all_small() -> None:
    lengths = [len(chunk.text) for chunk in split(["\n\n".join(paragraphs(1, 1500))], Sizes(size=2000))]
    assert max(lengths) <= 2000
    assert min(lengths[:-1]) >= 600
    assert sum(lengths) / len(lengths) > 1200


def test_a_text_that_fits_is_one_chunk() -> None:
    text = "# A\n\n" + "Some words here. " * 50 + "\n\n## B\n\n" + "And there. " * 60
    assert [chunk.text for chunk in split([text], Sizes(size=2000))] == [text]


def new_chunks(before: list[Split], after: list[Split]) -> int:
    known = Counter((chunk.text, chunk.headings) for chunk in before)
    return sum((chunk.text, chunk.headings) not in known for chunk in after)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from(("\n", "\n\n")), st.sampled_from(("change", "remove", "insert", "type")))
def test_an_edit_is_felt_by_its_own_chunk_and_few_neighbours(seed: int, separator: str, edit: str) -> None:
    chance = random.Random(seed)
    old = paragraphs(seed, 150)
    at = chance.randrange(len(old))
    new = edited(old, at, edit, chance)
    before = list(split([separator.join(old)], Sizes(size=2000)))
    assert new_chunks(before, list(split([separator.join(new)], Sizes(size=2000)))) <= 5


def edited(old: list[str], at: int, edit: str, chance: random.Random) -> list[str]:
    replacement = {
        "change": [paragraph(chance)],
        "remove": [],
        "insert": [old[at], paragraph(chance)],
        "type": [old[at][:5] + "xy" + old[at][5:]],
    }
    return [*old[:at], *replacement[edit], *old[at + 1 :]]


def test_most_edits_cost_one_or_two_chunks() -> None:
    counts = []
    for seed in range(60):
        chance = random.Random(seed)
        old = paragraphs(seed, 150)
        new = edited(old, chance.randrange(150), "change", chance)
        counts.append(
            new_chunks(
                list(split(["\n\n".join(old)], Sizes(size=2000))), list(split(["\n\n".join(new)], Sizes(size=2000)))
            )
        )
    assert sum(counts) / len(counts) < 1.7
    assert sum(count <= 2 for count in counts) >= 0.9 * len(counts)


def test_headings_above_a_chunk() -> None:
    text = "# Book\n\n## One\n\n" + "First part. " * 30 + "\n\n## Two\n\n" + "Second part. " * 30 + "\n\nEnd of two."
    chunks = list(split([text], Sizes(size=250)))
    assert chunks[0].headings == ()
    assert chunks[1].headings == ("Book", "One")
    assert chunks[-1].headings == ("Book", "Two")
    assert {chunk.title for chunk in chunks} == {"Book"}


def test_a_text_without_headings_has_no_title() -> None:
    assert [chunk.title for chunk in split(["Just text."], Sizes(size=50))] == [""]


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n　", "\n" * 5000])
def test_white_space_makes_no_chunk(text: str) -> None:
    assert list(split([text], Sizes(size=50))) == []


@pytest.mark.parametrize("piece", ["x" * 4096, "字，" * 2048, "word " * 800, "\n" * 4096, "a.\n" * 1300])
def test_memory_does_not_grow_with_the_text(piece: str) -> None:
    def pieces() -> Iterator[str]:
        yield "Start. "
        for _ in range(count):
            yield piece

    def peak(number: int) -> int:
        nonlocal count
        count = number
        tracemalloc.start()
        for _ in split(pieces(), Sizes(size=200)):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    count = 0
    peak(2)  # what is cached once
    assert peak(16) < 1.2 * peak(4)


def test_settings_have_a_hash_of_their_own() -> None:
    hashes = {
        splitter_hash(Sizes(size=size, overlap=overlap), encoding=encoding)
        for size in (100, 200)
        for overlap in (0, 10)
        for encoding in (None, "big5")
    }
    assert len(hashes) == 8
