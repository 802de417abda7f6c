"""The checks together: what each refuses, by name."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.recipe_parts import Checks
from consumer.worker.checks.checking import check_pairs
from consumer.worker.checks.pair import AnsweredPair
from schemas import PairType

TEXT = "The gate oxide is 1.2 nm thick. Below 1 nm it does not stop tunnelling. Copper replaced aluminium in 1997."
GOOD = {
    "question": "How thick is the gate oxide?",
    "answer": "1.2 nm.",
    "evidence": ("The gate oxide is 1.2 nm thick.",),
}


def pair(**changed) -> AnsweredPair:
    return AnsweredPair.model_validate({"type": PairType.FACTUAL} | GOOD | changed)


def reasons(*pairs: AnsweredPair, checks: Checks | None = None) -> list[list[str]]:
    checked = check_pairs(pairs, text=TEXT, start=0, headings=("Oxides of 2 nm",), checks=checks or Checks())
    return [[reason.check for reason in each.reasons] for each in checked]


def test_a_good_pair_is_kept_and_a_number_may_stand_in_a_heading():
    assert reasons(pair(), pair(question="What is the oxide's heading?", answer="It speaks of 2 nm oxides.")) == [
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("changed", "check", "switch"),
    [
        ({"answer": "。"}, "empty", None),
        ({"question": "Why?"}, "self_contained", "self_contained"),
        ({"evidence": ()}, "evidence_verbatim", "evidence"),
        ({"evidence": (*GOOD["evidence"], "invented")}, "evidence_verbatim", "evidence"),
        ({"answer": "1.3 nm."}, "numbers", "numbers"),
        ({"answer": "Below 1 nm it does stop tunnelling."}, "polarity", "polarity"),
        ({"answer": "Green plants turn sunlight into sugar."}, "overlap", "overlap"),
        ({"answer": "The gate oxide is thick."}, "answer_is_question", "copies"),
        ({"answer": "约1.2 nm，因为介质很薄。"}, "language", "language"),
    ],
)
def test_each_check_names_itself_and_can_be_switched_off(changed, check, switch):
    assert check in reasons(pair(**changed))[0]
    if switch:
        assert check not in reasons(pair(**changed), checks=Checks(**{switch: False}))[0]


def test_lengths_are_bounded():
    bounds = Checks(question_most=10, answer_least=50)
    assert reasons(pair(), checks=bounds) == [["question_length", "answer_length"]]


def test_of_questions_that_ask_the_same_the_first_that_is_kept_stays():
    rejected, first = pair(answer="1.3 nm."), pair()
    later, other = pair(question="how thick is the gate-oxide"), pair(question="How wide is the gate oxide?")
    assert reasons(rejected, first, later, other) == [["numbers"], [], ["near_duplicate"], []]
    assert reasons(first, later, checks=Checks(duplicates=False)) == [[], []]


def test_a_number_may_be_worked_out_in_the_reasoning():
    answer = {"answer": "It is 12 Å thick, that is 0.2 nm more than 1 nm.", "reasoning": "1.2 nm - 1 nm = 0.2 nm"}
    assert reasons(pair(**answer)) == [[]]
    assert reasons(pair(**answer | {"reasoning": ""})) == [["numbers"]]


ANY = st.text(alphabet=st.sampled_from("该它中不高低是的 isnot 0.5%²nmV-，。？?\n(“"), max_size=40) | st.text(
    max_size=40
)


@settings(max_examples=60)
@given(ANY, ANY.filter(len), ANY.filter(len), ANY, st.lists(ANY, max_size=2))
def test_no_text_breaks_a_check(text, question, answer, reasoning, evidence):
    pairs = [pair(question=question, answer=answer, reasoning=reasoning, evidence=tuple(evidence))] * 2
    checked = check_pairs(pairs, text=text, start=3, headings=(), checks=Checks())
    assert len(checked) == 2
    assert checked[1].reasons


@pytest.mark.parametrize("part", ["question", "answer", "reasoning", "evidence"])
@pytest.mark.parametrize(
    "unit",
    [
        "1 ",
        "0,",
        "=1",
        "1+1=2 ",
        "\n",
        "1 nm ",
        "1~2 ",
        "不高于三百",
        "million ",
        "not more less ",
        "a:、",
        "(",
        "10^999 ",
    ],
)
def test_a_text_that_repeats_itself_costs_no_more_than_another(unit, part):
    text = (unit * 8_000)[:8_000]
    began_s = time.process_time()
    reasons(pair(**{part: (text,) if part == "evidence" else text}), checks=Checks(answer_most=100_000))
    assert time.process_time() - began_s < 1.5  # it was up to 6 s, and four times as much for each doubling


@pytest.mark.parametrize("hidden", ["\x1b", "\x00", "\x85", "\u202e", "\u2066", "\u200b", "\ufeff", "\u200f"])
@pytest.mark.parametrize("part", ["question", "answer", "reasoning"])
def test_a_character_that_nobody_sees_is_refused(hidden, part):
    assert "control_characters" in reasons(pair(**{part: f"1.2 {hidden}nm?"}))[0]


def test_tabs_and_line_ends_may_stand_in_an_answer():
    assert reasons(pair(answer="Its thickness:\r\n\t1.2 nm.")) == [[]]
