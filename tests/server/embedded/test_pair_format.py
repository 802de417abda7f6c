import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from server.embedded.errors import RequestError
from server.embedded.prompt import Prompt
from server.embedded.response_formats import response_format

TEXT = (
    "光刻是一种工艺。硅的禁带宽度为1.12 eV。碳化硅的热导率比硅高约三倍。\n\nA diode consists of an anode and a cathode."
)


def schema(item: dict[str, Any] | None = None, **pairs: Any) -> dict[str, Any]:
    properties = {
        "type": {"type": "string", "enum": ["factual", "comparative", "reasoning", "open"]},
        "question": {"type": "string", "maxLength": 200},
        "answer": {"type": "string"},
        "evidence": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
    } | (item or {})
    items = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {
        "type": "object",
        "properties": {"pairs": {"type": "array", "items": items} | pairs},
        "required": ["pairs"],
        "additionalProperties": False,
    }


def fill(schema: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    answer = json.loads(response_format(json.dumps(schema)).content(Prompt(TEXT, ""), **more))
    Draft202012Validator(schema).validate(answer)
    return answer["pairs"]


def test_all_pairs_with_what_is_asked_for():
    pairs = fill(schema())
    assert len(pairs) == 4
    assert set(pairs[0]) == {"type", "question", "answer", "evidence"}
    assert pairs[0]["evidence"] == ["光刻是一种工艺。"]


def test_no_more_than_max_items():
    assert len(fill(schema(maxItems=2))) == 2


def test_what_breaks_a_bound_is_left_out_not_cut():
    assert [pair["question"] for pair in fill(schema({"question": {"type": "string", "maxLength": 6}}))] == [
        "什么是光刻？"
    ]
    assert [pair["type"] for pair in fill(schema({"type": {"enum": ["comparative"]}}))] == ["comparative"]


def test_evidence_as_one_string():
    assert fill(schema({"evidence": {"type": "string"}}))[0]["evidence"] == "光刻是一种工艺。"


def test_whole_pairs_within_max_tokens():
    assert 0 < len(fill(schema(), max_tokens=30)) < 4


def test_a_nullable_field():
    assert len(fill(schema({"reasoning": {"anyOf": [{"type": "string"}, {"type": "null"}]}}))) == 4


@pytest.mark.parametrize(
    ("unfillable", "why"),
    [
        ({"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}, "pairs"),
        ({"type": "nonsense"}, "valid JSON Schema"),
        ({}, "pairs"),
        (schema({"score": {"type": "number"}}), "score"),
        (schema({"answer": {"type": "integer"}}), "integer"),
        (schema({"type": {"enum": ["poem"]}}), "poem"),
        (schema() | {"required": ["pairs", "title"]}, "title"),
        (schema({"answer": {"$ref": "http://127.0.0.1:1/x"}}), "reference"),
    ],
)
def test_a_schema_that_can_not_be_filled_is_refused(unfillable: dict[str, Any], why: str):
    with pytest.raises(RequestError, match=why):
        response_format(json.dumps(unfillable))


def test_more_pairs_than_the_text_gives_are_refused():
    with pytest.raises(RequestError, match="the text gives 4 pairs"):
        response_format(json.dumps(schema(minItems=5))).content(Prompt(TEXT, ""))
