import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.text.headings import Heading
from producer.text.units import Tier, units
from tests.producer.text.texts import documents


def parts(text: str, longest: int) -> list[tuple[str, int]]:
    return [(unit.text, unit.tier) for unit in units([text], longest=longest)]


@given(documents, st.integers(20, 200))
def test_units_are_the_text_and_never_too_long(text: str, longest: int) -> None:
    found = list(units([text], longest=longest))
    assert "".join(unit.text for unit in found) == text
    assert all(0 < len(unit.text) <= longest for unit in found)


@given(documents, st.integers(20, 100), st.data())
def test_how_the_text_came_in_pieces_makes_no_difference(text: str, longest: int, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert list(units(pieces, longest=longest)) == list(units([text], longest=longest))


def test_paragraphs_and_ended_lines_are_units_and_wrapped_lines_are_not() -> None:
    text = "One line\nwraps here.\nNext sentence line.\n\nA paragraph.\n"
    assert parts(text, 100) == [
        ("One line\nwraps here.\n", Tier.PARAGRAPH),
        ("Next sentence line.\n\n", Tier.ENDED_LINE),
        ("A paragraph.\n", Tier.PARAGRAPH),
    ]


def test_an_underlined_heading_and_its_line_stay_with_what_follows() -> None:
    found = list(units(["Text.\n\nTitle\n=====\n\nMore.\n\nPart\n---\nText."], longest=100))
    assert [unit.text for unit in found] == ["Text.\n\n", "Title\n=====\n\nMore.\n\n", "Part\n---\nText."]
    assert [[heading for _, heading in unit.headings] for unit in found] == [
        [],
        [Heading(1, "Title")],
        [Heading(2, "Part")],
    ]


@pytest.mark.parametrize(
    "text", ["Two lines\nof text\n---\n\nMore.", "```\nTitle\n=====\n```\n", "---\nkey: 1\n---\n\nText."]
)
def test_lines_that_underline_nothing(text: str) -> None:
    assert not [unit.headings for unit in units([text], longest=100) if unit.headings]


def test_a_heading_stays_with_what_follows_and_outranks_paragraphs() -> None:
    found = list(units(["Text.\n\n# A\n\n## B\n\nMore.\n\nLast."], longest=100))
    assert [unit.text for unit in found] == ["Text.\n\n", "# A\n\n## B\n\nMore.\n\n", "Last."]
    assert found[1].tier == Tier.HEADING - 1
    assert found[1].headings == ((0, Heading(1, "A")), (5, Heading(2, "B")))


def test_no_heading_within_a_code_fence() -> None:
    found = list(units(["```\n# comment\n```\n\n# Real\n"], longest=100))
    assert [title for unit in found for _, title in unit.headings] == [Heading(1, "Real")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("半导体很重要。它无处不在！“是吗？”是的。", ["半导体很重要。", "它无处不在！", "“是吗？”", "是的。"]),
        (
            "It works. Dr. Wu said so. See Fig. 3 now. Yes?",
            ["It works. ", "Dr. Wu said so. ", "See Fig. 3 now. ", "Yes?"],
        ),
        ("Use e.g. silicon. at 3.5 V. OK then", ["Use e.g. silicon. at 3.5 V. ", "OK then"]),
        ("J. Smith wrote it. Then A. Lee.", ["J. Smith wrote it. ", "Then A. Lee."]),
        ("first line\nsecond line\nthird line", ["first line\n", "second line\n", "third line"]),
    ],
)
def test_long_paragraphs_are_cut_at_sentences_and_lines(text: str, expected: list[str]) -> None:
    assert [part for part, _ in parts(text, max(map(len, expected)))] == expected


def test_long_sentences_are_cut_at_clauses_then_words_then_anywhere() -> None:
    assert [part for part, _ in parts("甲乙丙，丁戊己，庚辛", 4)] == ["甲乙丙，", "丁戊己，", "庚辛"]
    assert [part for part, _ in parts("ab cd ef gh", 5)] == ["ab ", "cd ", "ef ", "gh"]
    assert [part for part, _ in parts("abcdefgh", 3)] == ["abc", "def", "gh"]
