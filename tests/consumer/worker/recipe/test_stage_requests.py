import json
import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chaos.fake_model import good_answer
from configs.recipe import Recipe, load_recipe
from configs.settings import load_settings
from consumer.worker.checks.pair import AnsweredPair
from consumer.worker.recipe.candidate import Candidate
from consumer.worker.recipe.prompts import frame
from consumer.worker.recipe.response_formats import ModelAnswer
from consumer.worker.recipe.stage_requests import StageRequest, StageRequests
from inference.errors import MalformedError
from inference.openai_wire import request_body
from schemas import Chunk, PairType
from tests.support.chunks import make_chunk

TEXT = "栅极介质变薄时，直接隧穿电流近似指数上升，因此改用高介电常数材料。阈值电压随之稳定。"
CANDIDATE = Candidate(
    AnsweredPair(type=PairType.REASONING, question="为什么？", answer="因为。", evidence=("变薄",)),
    second=ModelAnswer(answer="同上"),
)


def stages(recipe: Recipe, chunk: Chunk, *, max_tokens: int = 100, **more: int) -> StageRequests:
    settings = load_settings({"temperature": 0.5, "max_tokens": max_tokens, **more}).model
    return StageRequests(recipe, chunk, settings, judge="qwen-vllm")


def requests(recipe: Recipe, chunk: Chunk, **more: int) -> dict[str, StageRequest]:
    """Makes one request for each stage of the recipe."""
    asking = stages(recipe, chunk, **more)
    made = {}
    for name, stage in recipe.stages.items():
        shown = {"question_gate": [[CANDIDATE] * 3], "one_call": [], "text_gate": [], "ask": []}.get(name, [CANDIDATE])
        made[name] = getattr(asking, name)(stage, *shown)
    return made


@pytest.mark.parametrize("name", ["fast", "standard", "semiconductor"])
@pytest.mark.parametrize("text", [TEXT, "Gate oxides get thinner, so tunnelling rises."])
def test_every_request_is_whole_and_can_be_answered(name: str, text: str):
    recipe = load_recipe(name)
    for request in requests(recipe, make_chunk(text, headings=("A", "B"))).values():
        assert "$" not in request_body(request.chat)["messages"][1]["content"]
        schema = request_body(request.chat)["response_format"]["json_schema"]["schema"]
        Draft202012Validator.check_schema(schema)
        answer = good_answer(request_body(request.chat), text)
        Draft202012Validator(schema).validate(orjson.loads(answer))
        assert request.read(answer)


def bounded(schema: dict) -> bool:
    """True when arrays and strings have bounds and objects allow no other properties."""
    match schema.get("type"):
        case "string":
            return "maxLength" in schema or "enum" in schema
        case "array":
            return "maxItems" in schema and bounded(schema["items"])
        case "object":
            closed = schema["required"] == list(schema["properties"]) and schema["additionalProperties"] is False
            return closed and all(map(bounded, schema["properties"].values()))
    return schema.get("type") in ("integer", "boolean")


def test_every_schema_is_bounded():
    for name in ("fast", "standard", "semiconductor"):
        for request in requests(load_recipe(name), make_chunk(TEXT)).values():
            assert bounded(request_body(request.chat)["response_format"]["json_schema"]["schema"])


def test_stages_of_a_chunk_share_all_up_to_the_task():
    bodies = [
        request_body(request.chat) for request in requests(load_recipe("semiconductor"), make_chunk(TEXT)).values()
    ]
    assert len({body["messages"][0]["content"] for body in bodies}) == 1
    shared = frame(make_chunk(TEXT), load_recipe("semiconductor").terms["zh"])
    assert TEXT in shared
    assert "阈值电压: " in shared.partition("</text>")[2]
    assert all(body["messages"][1]["content"].startswith(f"{shared}\n\n") for body in bodies)


def test_terms_are_shown_where_they_occur():
    recipe = load_recipe("semiconductor")
    (request, *_) = requests(recipe, make_chunk("Overlays and carriers; chemical etchings.")).values()
    shown = request_body(request.chat)["messages"][1]["content"].partition("<terms>\n")[2].partition("\n</terms>")[0]
    assert [line.partition(":")[0] for line in shown.splitlines()] == ["carrier", "overlay", "etching"]
    (request, *_) = requests(recipe, make_chunk("Nothing of the field.")).values()
    assert "<terms>" not in request_body(request.chat)["messages"][1]["content"]


def test_thinking_is_switched_for_the_recipe_or_for_a_stage_and_has_tokens_of_its_own():
    recipe = load_recipe("standard")
    stage = recipe.judge.model_copy(update={"thinking": False})
    recipe = recipe.model_copy(update={"thinking": True, "judge": stage})
    made = requests(recipe, make_chunk(TEXT), reasoning_max_tokens=900)
    kwargs = {
        name: request_body(request.chat)["chat_template_kwargs"]["enable_thinking"] for name, request in made.items()
    }
    assert kwargs == {"ask": True, "answer": True, "judge": False}
    assert {name: request_body(request.chat)["max_tokens"] for name, request in made.items()} == {
        "ask": 1000, "answer": 1000, "judge": 100,
    }  # fmt: skip
    unset = request_body(requests(load_recipe("standard"), make_chunk(TEXT))["ask"].chat)
    assert "chat_template_kwargs" not in unset


def test_a_stage_may_have_a_temperature_of_its_own():
    made = requests(load_recipe("standard"), make_chunk(TEXT))
    assert (request_body(made["ask"].chat)["temperature"], request_body(made["judge"].chat)["temperature"]) == (
        0.5,
        0.2,
    )


@pytest.mark.parametrize("name", ["fast", "standard", "semiconductor"])
def test_the_model_is_told_of_the_bounds_that_would_cut_it(name: str):
    """Exceptions are the bounds of quotes, which are copied, and of brief second answers."""
    recipe = load_recipe(name)
    for stage, request in requests(recipe, make_chunk(TEXT)).items():
        schema = json.dumps(request_body(request.chat)["response_format"]["json_schema"]["schema"])
        bounds = {int(most) for most in re.findall(r'"maxLength": (\d+)', schema)} - {recipe.limits.quote_characters}
        told = {int(number) for number in re.findall(r"\d+", request_body(request.chat)["messages"][1]["content"])}
        assert bounds <= told or stage == "second_answer", (stage, bounds, told)


def test_asked_are_as_many_of_each_type_as_planned():
    asking = stages(load_recipe("standard"), make_chunk(TEXT * 20))
    body = request_body(asking.ask(load_recipe("standard").ask).chat)
    lists = body["response_format"]["json_schema"]["schema"]["properties"]["questions"]["properties"]
    assert {kind: lists[kind]["maxItems"] for kind in lists} == {k.value: n for k, n in asking.plan.items()}
    assert all(f"- {kind}: {count}" in body["messages"][1]["content"] for kind, count in asking.plan.items())


@given(st.text(max_size=60) | st.just('{"comment": "", "marks": {"support": 11}}') | st.just('{"marks": {}}'))
def test_what_is_no_answer_is_malformed(content: str):
    for request in requests(load_recipe("semiconductor"), make_chunk(TEXT)).values():
        with pytest.raises(MalformedError):
            request.read(content)
