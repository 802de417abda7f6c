import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.text.marks import ChunkMarks
from producer.text.splitting import Sizes, Split, split
from tests.producer.text.texts import documents, paragraph, paragraphs

SIZE = 2000
SHORT = Sizes(size=SIZE)


def split_and_marked(
    text: str, sizes: Sizes = SHORT, before: ChunkMarks | None = None
) -> tuple[list[Split], ChunkMarks]:
    """The chunks, and their marks as the ledger brings them to the next version."""
    marks = ChunkMarks()
    return list(split([text], sizes, before=before, marks=marks)), ChunkMarks(marks.pack())


def new_chunks(before: list[Split], after: list[Split]) -> int:
    known = Counter((chunk.text, chunk.headings) for chunk in before)
    return sum((chunk.text, chunk.headings) not in known for chunk in after)


def other_paragraph(chance: random.Random, old: str, how: str) -> str:
    at = chance.randrange(len(old))
    match how:
        case "replace":
            return paragraph(chance)
        case "type":
            return old[:at] + "xy" + old[at:]
        case "cut":
            return old[:at] or "。"
        case "grow":
            return old + " " + paragraph(chance, sentences=3)
        case _:
            return ""


EDITS = st.sampled_from(("replace", "type", "cut", "grow", "remove"))


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.sampled_from(("\n", "\n\n")), EDITS)
def test_an_edited_paragraph_costs_two_chunks_at_most(seed: int, separator: str, how: str) -> None:
    chance = random.Random(seed)
    old = paragraphs(seed, 60)
    at = chance.randrange(len(old))
    new = [*old[:at], other_paragraph(chance, old[at], how), *old[at + 1 :]]
    before, marks = split_and_marked(separator.join(old))
    after, _ = split_and_marked(separator.join(new), before=marks)
    assert new_chunks(before, after) <= 2


@settings(max_examples=5)
@given(st.integers(0, 2**32))
def test_a_hundred_edits_one_after_another_cost_two_chunks_each_and_do_not_crumble_the_text(seed: int) -> None:
    chance = random.Random(seed)
    text = paragraphs(seed, 60)
    before, marks = split_and_marked("\n\n".join(text))
    for _ in range(100):
        at = chance.randrange(len(text))
        text[at] = paragraph(chance)
        after, marks = split_and_marked("\n\n".join(text), before=marks)
        assert new_chunks(before, after) <= 2
        before = after
    assert sum(len(chunk.text) for chunk in before) / len(before) > SIZE * 0.4


@given(documents, st.integers(50, 400), documents)
def test_an_edited_text_is_still_reassembled(text: str, size: int, more: str) -> None:
    sizes = Sizes(size=size)
    _, marks = split_and_marked(text, sizes)
    for edited in (text + more, more + text, text[: len(text) // 2] + more + text[len(text) // 2 :]):
        at = 0
        for chunk in split([edited], sizes, before=marks):
            assert edited[at : chunk.start].strip() == ""
            assert edited[chunk.start : chunk.end] == chunk.text
            assert 0 < len(chunk.text) <= size
            at = chunk.end
        assert edited[at:].strip() == ""


@given(documents, st.integers(50, 400), documents)
def test_the_same_text_is_split_the_same_again(text: str, size: int, other: str) -> None:
    """Whatever it was split after: a restart, or `regenerate`, makes the same chunks."""
    sizes = Sizes(size=size)
    _, marks = split_and_marked(other + text[:200], sizes)
    chunks, again = split_and_marked(text, sizes, marks)
    if again.known:
        assert split_and_marked(text, sizes, again)[0] == chunks


def test_text_in_one_line_keeps_its_chunks() -> None:
    old = " ".join(paragraphs(3, 200))
    before, marks = split_and_marked(old)
    after, _ = split_and_marked(old[:40_000] + "xy" + old[40_000:], before=marks)
    assert len(before) >= 20
    assert new_chunks(before, after) <= 2


def test_a_moved_part_keeps_its_chunks() -> None:
    old = paragraphs(4, 120)
    before, marks = split_and_marked("\n\n".join(old))
    after, _ = split_and_marked("\n\n".join(old[60:] + old[:60]), before=marks)
    assert new_chunks(before, after) <= 6


def test_marks_of_one_chunk_or_of_very_many_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    _, marks = split_and_marked("One.")
    assert marks.known == []
    monkeypatch.setattr("producer.text.marks.MOST", 100)
    for count, is_kept in ((100, True), (101, False)):
        many = ChunkMarks()
        assert len(list(split(["x" * 80 * count], Sizes(size=100), marks=many))) == count
        assert bool(many.pack()) is is_kept


def test_two_hundred_chunks_take_three_kilobytes() -> None:
    marks = ChunkMarks()
    chunks = list(split(["\n\n".join(paragraphs(7, 1500))], SHORT, marks=marks))
    assert len(marks.pack()) <= 14 * len(chunks)
    assert ChunkMarks(marks.pack()).known == marks.known
