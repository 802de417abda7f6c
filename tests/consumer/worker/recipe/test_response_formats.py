"""The bounds that were asked for hold for what is read, whatever the server sent."""

import time

import orjson
import pytest

from configs.recipe_parts import Limits
from consumer.worker.recipe.response_formats import (
    ModelAnswer,
    answer_format,
    marks_format,
    pairs_format,
    parse,
    parse_marks,
    parse_pairs,
    parse_questions,
    questions_format,
)
from inference.errors import MalformedError
from schemas import PairType

LIMITS = Limits(question_characters=30, answer_characters=40, reasoning_characters=50, quotes=2, quote_characters=20)
LONG = "1 " * 20_000


def test_more_pairs_and_longer_texts_than_asked_are_cut_off():
    pair = {"type": "open", "question": LONG, "answer": LONG, "reasoning": LONG, "evidence": [LONG] * 3}
    small = pair | dict.fromkeys(("question", "answer", "reasoning"), "1 ") | {"evidence": []}
    read = parse_pairs(orjson.dumps({"pairs": [pair] + [small] * 2_999}).decode(), pairs_format(LIMITS, 5))
    assert len(read) == 5
    assert [len(read[0].question), len(read[0].answer), len(read[0].reasoning)] == [30, 40, 50]
    assert list(map(len, read[0].evidence)) == [20, 20]


def test_questions_of_types_that_were_not_planned_do_not_count():
    wanted = questions_format(LIMITS, {PairType.OPEN: 1, PairType.FACTUAL: 0})
    content = orjson.dumps({"questions": {"open": ["a", "b"], "factual": ["c"] * 3_000}}).decode()
    assert parse_questions(content, wanted) == ((PairType.OPEN, "a"),)


def test_an_answer_and_a_comment_are_cut_at_their_bounds():
    content = orjson.dumps({"answer": LONG, "evidence": [LONG] * 9, "answerable": True}).decode()
    answer = parse(ModelAnswer, content, answer_format(LIMITS))
    assert (len(answer.answer), len(answer.evidence)) == (40, 2)
    marks = {"comment": LONG, "marks": {"depth": 3} | {str(n): n for n in range(3_000)}}
    read = parse_marks(orjson.dumps(marks).decode(), marks_format(LIMITS, ["depth"]), ["depth"])
    assert (len(read.comment), read.marks) == (LIMITS.comment_characters, {"depth": 3})


ANSWER = '{"answer": "Copper {1}."}'


@pytest.mark.parametrize(
    "content",
    [
        f"```json\n{ANSWER}\n```",
        f'<think>Is it {{"answer": "aluminium"}}?</think>\n{ANSWER}',
        f"Here {{it}} is: {ANSWER} I hope {{this}} helps.",
        f'{{"note": 1}} {ANSWER} {{"answer": "a later one"}}',
        f'{{"answer": {ANSWER}',
    ],
)
def test_the_first_object_that_fits_is_the_answer(content):
    assert parse(ModelAnswer, content, answer_format(LIMITS)).answer == "Copper {1}."


@pytest.mark.parametrize("unit", ["{", '{"a":', '{"a":[', '{"a":1}', '{"a":"', '{"\\"', "}{", '{"a":' + "9" * 5_000])
def test_looking_for_an_answer_among_words_takes_linear_time(unit):
    content = (unit * 200_000)[:200_000]
    began_s = time.process_time()
    with pytest.raises(MalformedError):
        parse(ModelAnswer, content, answer_format(LIMITS))
    assert time.process_time() - began_s < 1
