"""When a question was asked before."""

import sqlite3

import pytest

from consumer.dataset.export.questions import AskedQuestions


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("At 5 V, what flows?", "at 5 V what flows", True),
        ("At 5 V, what flows?", "At 3 V, what flows?", False),
        ("At -5 V, what flows?", "At 5 V, what flows?", False),
        ("Why is an nMOS fast?", "Why is a pMOS fast?", False),
        ("Is VDD > VSS?", "Is VDD < VSS?", False),
        ("state-of-the-art tools", "state of the art tools", True),
        ("５伏时电流是多少？", "5伏时电流是多少?", True),
    ],
)
def test_a_number_a_symbol_or_a_comparison_makes_another_question(one, other, same):
    questions = AskedQuestions(sqlite3.connect(":memory:"))
    questions.add(one, kind="kept")
    assert questions.has(other, kind="kept") is same
    assert not questions.has(one, kind="rejected")
