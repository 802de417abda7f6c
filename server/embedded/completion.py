"""One chat completion, from request body to response body. Pure, except for the id and the time in it."""

import json
import time
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from languages import language_of
from server.embedded.errors import RequestError
from server.embedded.pairs import extract
from server.embedded.prompt import TOKEN, Prompt, contents, count_tokens, prompt_of
from server.embedded.response_formats import FillableFormat, as_json, response_format

MODEL = "extractive"
MAX_MODEL_LEN = 131_072  # tokens as `count_tokens` counts them
_NO_TEXT = {
    "zh": "这里是 QAStream 的内置抽取式模型（extractive），用于在没有 GPU 的机器上试运行流程。"
    "它只能从给定文本中抽取问答对，不具备知识，无法回答此问题。请用 python -m server 启动真正的 vLLM 服务。",
    "en": "This is QAStream's embedded extractive model, for trying the pipeline on a machine without a GPU. "
    "It only finds pairs in a given text; it knows nothing and can't answer this. "
    "Start a real vLLM server with: python -m server",
}


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request that this server can answer. `format` is None for free text and for `json_object`."""

    prompt: Prompt
    max_tokens: int | None
    format: FillableFormat | None
    as_json: bool
    prompt_tokens: int


def check(body: Any, *, served: tuple[str, ...]) -> CheckedRequest:
    """The request in a body. Raises RequestError for anything that this server doesn't do, rather than ignore it."""
    if not isinstance(body, dict):
        raise RequestError("the body must be a JSON object")
    if body.get("model") not in served:
        raise RequestError(f"The model `{body.get('model')}` does not exist.", status=404, param="model")
    if body.get("stream"):
        raise RequestError("streaming is not supported by the embedded server: set stream to false", param="stream")
    if body.get("n") not in (None, 1):
        raise RequestError("n must be 1: this model has one answer to a text", param="n")
    messages = contents(body.get("messages"))
    asked, as_json = _response_format(body.get("response_format"))
    prompt_tokens = sum(count_tokens(content) for _, content in messages)
    if prompt_tokens > MAX_MODEL_LEN:
        limit = f"This model's maximum context length is {MAX_MODEL_LEN} tokens"
        raise RequestError(f"{limit}; the prompt has {prompt_tokens}.", param="messages")
    return CheckedRequest(prompt_of(messages), _max_tokens(body), asked, as_json, prompt_tokens)


def answer(request: CheckedRequest) -> dict[str, Any]:
    """The response body. Raises RequestError if the text can't give what the schema asks for."""
    content, finish_reason = _content(request)
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": request.prompt_tokens, "completion_tokens": count_tokens(content)}
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
        "usage": usage | {"total_tokens": sum(usage.values()), "prompt_tokens_details": {"cached_tokens": 0}},
    }


def _content(request: CheckedRequest) -> tuple[str, str]:
    """The completion's text and its finish reason."""
    prompt = request.prompt
    if request.format is not None:
        return _cut(request.format.content(prompt, request.max_tokens), request.max_tokens)
    if request.as_json:
        pairs = [asdict(pair) | {"evidence": [pair.evidence]} for pair in extract(prompt.text)]
        return as_json({"pairs": pairs}), "stop"
    if prompt.framed:
        text = "\n\n".join(f"Q: {pair.question}\nA: {pair.answer}" for pair in extract(prompt.text))
    else:
        text = _NO_TEXT.get(language_of(prompt.text).code, _NO_TEXT["en"])
    return _cut(text, request.max_tokens)


def _cut(text: str, max_tokens: int | None) -> tuple[str, str]:
    """The text and its finish reason, cut after the last token that fits."""
    ends = [match.end() for match in TOKEN.finditer(text)]
    return (text, "stop") if max_tokens is None or len(ends) <= max_tokens else (text[: ends[max_tokens - 1]], "length")


def _max_tokens(body: dict[str, Any]) -> int | None:
    name = "max_tokens" if body.get("max_completion_tokens") is None else "max_completion_tokens"
    value = body.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise RequestError(f"{name} must be a whole number, at least 1", param=name)
    return value


def _response_format(asked: Any) -> tuple[FillableFormat | None, bool]:
    """The format for the schema, if one is given; true if the answer must be JSON."""
    kind = asked.get("type") if isinstance(asked, dict) else "text" if asked is None else None
    if kind not in ("text", "json_object", "json_schema"):
        raise RequestError("response_format.type takes text, json_object and json_schema", param="response_format.type")
    if kind != "json_schema":
        return None, kind == "json_object"
    schema = asked["json_schema"].get("schema") if isinstance(asked.get("json_schema"), dict) else None
    if not isinstance(schema, dict):
        raise RequestError("json_schema needs a schema", param="response_format.json_schema.schema")
    return response_format(json.dumps(schema, sort_keys=True)), True
