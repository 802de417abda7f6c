"""The bytes that go to the server, and the keys of cached answers, are those of every version before."""

from dataclasses import replace

import orjson

from inference.chat import ChatMessage, ChatRequest, ResponseFormat
from inference.openai_wire import fingerprint, read_models, request_body
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
