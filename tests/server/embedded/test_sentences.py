from hypothesis import given
from hypothesis import strategies as st

from server.embedded.sentences import one_line, sentences


def test_chinese_and_english_sentences():
    text = "硅是半导体。锗也是！\n\nA die is a piece, e.g. of silicon. It is cut by Dr. Saw."
    assert list(sentences(text)) == [
        "硅是半导体。",
        "锗也是！",
        "A die is a piece, e.g. of silicon.",
        "It is cut by Dr. Saw.",
    ]


def test_headings_tables_and_fragments_are_left_out():
    text = "# 标题。\n一、概述\n2.1 Oxides\n| a | b |\n---\n没有句号的行\n\n这是一句。\n"
    assert list(sentences(text)) == ["这是一句。"]


def test_a_heading_before_a_line_is_no_part_of_its_sentence():
    assert list(sentences("一、定义\n光刻是一种工艺。")) == ["光刻是一种工艺。"]


def test_list_markers_are_cut_off_but_nothing_in_mid_sentence():
    assert list(sentences("- 硅是元素。\n1. 锗是元素。\n")) == ["硅是元素。", "锗是元素。"]
    text = "The mismatch with silicon (111) is about 17 percent."
    assert list(sentences(text)) == [text]


def test_ends_that_a_number_or_a_unit_hides():
    assert list(sentences("氧化物很常用。2004年有人报告了它。")) == ["氧化物很常用。", "2004年有人报告了它。"]
    assert list(sentences("It has 1 ppm/K. Masks are thin.")) == ["It has 1 ppm/K.", "Masks are thin."]


def test_hard_line_breaks():
    assert one_line("光刻是\n一种工艺。") == "光刻是一种工艺。"
    assert one_line("Silicon is\n  an element.") == "Silicon is an element."


@given(st.text(st.sampled_from("硅是。！a bC.1)(2, \n#-|“”\r\U0001d518"), max_size=200))
def test_each_is_an_exact_piece_of_the_text(text: str):
    assert all(sentence in text and sentence == sentence.strip() for sentence in sentences(text))
