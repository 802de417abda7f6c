import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from server.embedded.errors import RequestError
from server.embedded.pairs import extract
from server.embedded.prompt import Prompt, prompt_of
from server.embedded.response_formats import overlap, response_format

TEXT = "光刻是一种工艺。硅的禁带宽度为1.12 eV。碳化硅的热导率比硅高约三倍。"


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def array(most: int, **items: Any) -> dict[str, Any]:
    return {"type": "array", "maxItems": most, "items": {"type": "string"} | items}


QUESTIONS = closed({"questions": closed({"factual": array(1), "comparative": array(3), "open": array(2)})})
ANSWER = closed(
    {
        "evidence": array(2),
        "reasoning": {"type": "string"},
        "answerable": {"type": "boolean"},
        "answer": {"type": "string"},
    }
)
CRITERIA = closed({name: {"type": "integer", "enum": list(range(11))} for name in ("support", "depth")})
MARKS = closed({"comment": {"type": "string"}, "marks": CRITERIA})
MANY_MARKS = closed({"comment": {"type": "string"}, "marks": closed({"1": CRITERIA, "2": CRITERIA})})


def fill(schema: dict[str, Any], task: str = "", text: str = TEXT) -> dict[str, Any]:
    given = json.loads(response_format(json.dumps(schema)).content(Prompt(text, task)))
    Draft202012Validator(schema).validate(given)
    return given


def test_questions_by_type_only_those_it_finds_and_no_more_than_asked():
    assert fill(QUESTIONS)["questions"] == {
        "factual": ["什么是光刻？"],
        "comparative": ["碳化硅的热导率与硅相比如何？"],
        "open": [],
    }


def test_a_question_that_breaks_a_bound_is_left_out():
    asked = closed({"questions": closed({"comparative": array(3, maxLength=5)})})
    assert fill(asked)["questions"] == {"comparative": []}


def test_its_own_questions_are_answered_with_their_sentence():
    for pair in extract(TEXT):
        given = fill(ANSWER, f"回答：\n<question>\n{pair.question}\n</question>")
        assert (given["answer"], given["evidence"], given["answerable"]) == (pair.answer, [pair.evidence], True)


def test_another_question_is_not_answered():
    given = fill(ANSWER, "<question>\n什么是量子点？\n</question>")
    assert given == {"evidence": [], "reasoning": "", "answerable": False, "answer": ""}


def test_a_pair_is_written_anew_as_it_was():
    schema = closed({"question": {"type": "string"}, "answer": {"type": "string"}})
    assert fill(schema, "<question>\n什么是光刻？\n</question>\n<answer>\n?\n</answer>")["question"] == "什么是光刻？"


@pytest.mark.parametrize(
    ("answer", "evidence", "mark"),
    [("光刻", "光刻是一种工艺。", 10), ("量子", "光刻是一种工艺。", 0), ("1.3 eV", "1.2 eV", 7), ("光刻", "", 0)],
)
def test_marks_are_the_overlap_of_answer_and_evidence_and_it_says_so(answer: str, evidence: str, mark: int):
    given = fill(MARKS, f"<answer>\n{answer}\n</answer>\n<evidence>\n{evidence}\n</evidence>")
    assert given["marks"] == {"support": mark, "depth": mark}
    assert "并非评判" in given["comment"]


def test_of_a_text_it_says_only_whether_it_finds_anything():
    assert fill(MARKS)["marks"]["depth"] == 10
    given = fill(MARKS, text="Nothing here")
    assert given["marks"]["depth"] == 0
    assert "Not a judgement" in given["comment"]


def test_questions_are_marked_by_their_number():
    given = fill(MANY_MARKS, "<questions>\n1. (factual) 光刻\n2. (open) Water boils?\n</questions>")
    assert {number: marks["support"] for number, marks in given["marks"].items()} == {"1": 10, "2": 0}
    assert "并非评判" in given["comment"]


@given(st.text(max_size=40), st.text(max_size=40))
def test_overlap_is_a_share(text: str, other: str):
    assert 0 <= overlap(text, other) <= 1
    assert overlap(text, text) in (0, 1)


@pytest.mark.parametrize(
    "unfillable",
    [{"type": "nonsense"}, closed({"marks": closed({"depth": {"type": "integer", "maximum": 3}})}), closed({})],
)
def test_a_schema_that_can_not_be_filled_is_refused(unfillable: dict[str, Any]):
    with pytest.raises(RequestError):
        response_format(json.dumps(unfillable)).content(Prompt(TEXT, ""))


def test_a_schema_is_compiled_once():
    assert response_format(json.dumps(MARKS)) is response_format(json.dumps(MARKS))


def test_the_task_stands_below_the_text():
    content = "<text>\n<question>\nno\n</question>\n</text>\n\n<question>\nyes\n</question>"
    prompt = prompt_of([("system", "s"), ("user", content)])
    assert (prompt.part("question"), prompt.part("answer")) == ("yes", "")
    assert prompt_of([("user", "just this")]) == Prompt("just this", "just this", framed=False)
