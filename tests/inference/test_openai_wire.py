"""The bytes that go to the server, and the keys of cached answers, are those of every version before."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from inference.chat import ChatMessage, ChatRequest, ResponseFormat
from inference.errors import ModelError, NoAnswerError, OutageError, TransientError, TruncatedError
from inference.openai_wire import fingerprint, read_completion, read_models, request_body
from schemas.error_classes import Retry
from schemas.ids import digest

SCHEMA = {
    "type": "object",
    "properties": {"b": {"type": "string", "maxLength": 9}, "a": {"type": "boolean"}},
    "required": ["b", "a"],
    "additionalProperties": False,
}
REQUEST = ChatRequest(
    model="qwen-vllm",
    messages=(ChatMessage("system", "系统"), ChatMessage("user", "<text>\nx\n</text>")),
    temperature=0.7,
    max_tokens=2048,
    response_format=ResponseFormat("answer", SCHEMA),
    thinking=False,
)
BODY = (
    '{"model":"qwen-vllm","messages":[{"role":"system","content":"系统"},'
    '{"role":"user","content":"<text>\\nx\\n</text>"}],"temperature":0.7,"max_tokens":2048,'
    '"response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":'
    '{"type":"object","properties":{"b":{"type":"string","maxLength":9},"a":{"type":"boolean"}},'
    '"required":["b","a"],"additionalProperties":false}}},"chat_template_kwargs":{"enable_thinking":false}}'
)


def test_the_body_of_a_request_has_not_changed() -> None:
    assert orjson.dumps(request_body(REQUEST)).decode() == BODY


def test_answers_that_earlier_versions_cached_are_found() -> None:
    assert digest("call", fingerprint(REQUEST), "root", 1) == "4bcd08ae0bcc1fc129d25664527ce9c3"


def test_options_that_are_not_set_are_not_sent() -> None:
    plain = ChatRequest(model="m", messages=(ChatMessage("user", "hello"),), max_tokens=1)
    assert request_body(plain) == {"model": "m", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 1}


def test_a_priority_and_further_options_stand_at_the_end() -> None:
    body = request_body(replace(REQUEST, priority=0, extra={"ignore_eos": True}))
    assert list(body.items())[-2:] == [("priority", 0), ("ignore_eos", True)]


def test_models_are_read_with_what_is_loaded_under_their_names() -> None:
    reply = {"data": [{"id": "a", "root": "/models/a"}, {"id": "b"}, "c", {"id": "d", "root": "\ud800"}]}
    assert read_models(reply) == {"a": "/models/a", "b": "b", "d": "?"}
    assert read_models({"data": None}) == read_models([]) == read_models(None) == {}


def reply(content: object = "{}", **changed: Any) -> dict[str, Any]:
    message = {"content": content} | {
        name: changed.pop(name) for name in ("refusal", "reasoning_content") & changed.keys()
    }
    return {"choices": [{"finish_reason": "stop", "message": message} | changed], "usage": {"completion_tokens": 7}}


@pytest.mark.parametrize("finish", ["stop", "eos_token", "STOP", "tool_calls", None])
def test_an_answer_is_whole_unless_its_server_says_otherwise(finish: str | None) -> None:
    assert read_completion(reply(finish_reason=finish), "http://m").content == "{}"
    without = reply()
    del without["choices"][0]["finish_reason"]
    assert read_completion(without, "http://m").content == "{}"


@pytest.mark.parametrize(
    ("finish", "error"),
    [
        ("length", TruncatedError), ("abort", OutageError), ("error", TransientError), ("content_filter", NoAnswerError),
    ],
)  # fmt: skip
def test_an_answer_that_its_server_calls_unfinished_is_none(finish: str, error: type[ModelError]) -> None:
    with pytest.raises(error):
        read_completion(reply(finish_reason=finish), "http://m")


def test_a_content_may_come_in_parts() -> None:
    parts = [{"type": "text", "text": '{"a":'}, {"type": "image"}, "1}", 3]
    assert read_completion(reply(parts[:3]), "http://m").content == '{"a":1}'
    assert read_completion(reply(parts), "http://m").content == '{"a":1}'


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"refusal": "I can't."}, "refused to answer"), ({"reasoning_content": "Hm."}, "thoughts and no answer")],
)
def test_a_reply_that_says_why_it_has_no_answer_is_not_asked_for_again(changed: dict[str, str], words: str) -> None:
    empty: tuple[object, ...] = (None, "", [])
    for content in empty:
        with pytest.raises(NoAnswerError, match=words) as caught:
            read_completion(reply(content, **changed), "http://m")
        assert caught.value.retry is Retry.NEVER
        assert caught.value.partial is not None
        assert caught.value.partial.completion_tokens == 7


@pytest.mark.parametrize("usage", [None, [], "many", 3, {"prompt_tokens": "5", "prompt_tokens_details": [1]}])
def test_odd_usage_costs_no_answer(usage: object) -> None:
    completion = read_completion(reply() | {"usage": usage}, "http://m")
    assert (completion.content, completion.prompt_tokens, completion.cached_prompt_tokens) == ("{}", 0, 0)
