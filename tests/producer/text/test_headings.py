import pytest

from producer.text.headings import MAX_TITLE, Heading, below, heading, underline, underlined


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("# Title\n", Heading(1, "Title")),
        ("### 2.1 Deep ##\n", Heading(3, "2.1 Deep")),
        ("第三章 薄膜晶体管\n", Heading(1, "第三章 薄膜晶体管")),
        ("第2节 结构", Heading(2, "第2节 结构")),
        ("一、背景\n", Heading(2, "一、背景")),
        ("（二）方法\n", Heading(3, "（二）方法")),
        ("2.1 Carrier mobility\n", Heading(2, "2.1 Carrier mobility")),
        ("1.2.3. 器件结构\n", Heading(3, "1.2.3. 器件结构")),
        ("Chapter 4 Displays\n", Heading(1, "Chapter 4 Displays")),
    ],
)
def test_recognises_headings(line: str, expected: Heading) -> None:
    assert heading(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n",
        "#include <stdio.h>\n",
        "# \n",
        "2.1 V is the threshold voltage of this device.\n",
        "一、" + "长" * 80,
        "一、这是一个完整的句子。\n",
        "3.3 5\n",
        "####### seven\n",
        "Part of the truth\n",
        "第一次世界大战\n",
    ],
)
def test_leaves_text_alone(line: str) -> None:
    assert heading(line) is None


def test_a_title_is_bounded() -> None:
    found = heading("# " + "x" * 5000)
    assert found
    assert len(found.title) == MAX_TITLE


def test_a_heading_ends_those_of_its_level_and_deeper() -> None:
    path = (Heading(1, "a"), Heading(2, "b"), Heading(3, "c"))
    assert below(path, Heading(2, "d")) == (Heading(1, "a"), Heading(2, "d"))
    assert below((), Heading(4, "x")) == (Heading(4, "x"),)


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("=====\n", 1),
        ("---\n", 2),
        ("  ---", 2),
        ("--\n", 0),
        ("--- | ---\n", 0),
        ("    ---\n", 0),
        ("\n", 0),
        ("- a\n", 0),
    ],
)
def test_a_line_under_a_heading(line: str, level: int) -> None:
    assert underline(line) == level


@pytest.mark.parametrize(
    "line", ["- item\n", "| a | b |\n", "  indented\n", "1. A sentence.\n", "x" * 300, "# Title\n"]
)
def test_what_is_no_heading_even_underlined(line: str) -> None:
    assert underlined(line, 1) is None


def test_an_underlined_heading() -> None:
    assert underlined("薄膜晶体管 \n", 1) == Heading(1, "薄膜晶体管")
