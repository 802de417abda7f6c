"""The chat API of OpenAI, as vLLM and many others speak it: bodies of requests, and how replies are read. No I/O.

https://platform.openai.com/docs/api-reference/chat, and for the options of its own:
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
"""

from typing import Any

import orjson

from inference.chat import ChatRequest, Completion
from inference.errors import MalformedError, NoAnswerError, OutageError, TransientError, TruncatedError


def request_body(request: ChatRequest) -> dict[str, Any]:
    """The body of POST /chat/completions."""
    form, thinking = request.response_format, request.thinking
    body = {
        "model": request.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "response_format": form and {
            "type": "json_schema", "json_schema": {"name": form.name, "strict": True, "schema": form.schema},
        },
        "chat_template_kwargs": None if thinking is None else {"enable_thinking": thinking},
        "priority": request.priority,
    }  # fmt: skip
    return {name: value for name, value in body.items() if value is not None} | dict(request.extra)


def fingerprint(request: ChatRequest) -> str:
    """The body as JSON with sorted keys. Keys of cached answers are made from it, so it must stay as it is."""
    return orjson.dumps(request_body(request), option=orjson.OPT_SORT_KEYS).decode()


def read_completion(reply: Any, endpoint: str) -> Completion:
    """The completion in the JSON of a reply with status 200, which came from the base URL `endpoint`.

    An answer is whole unless `finish_reason` says that it is not. Raises TruncatedError for an answer that was cut,
    OutageError for one that the server gave up, TransientError for one in which it failed, NoAnswerError for a refusal
    or thoughts alone, and MalformedError for anything else that is not a finished answer.
    """
    try:
        choice = reply["choices"][0]
        finish, message = choice.get("finish_reason"), choice["message"]
        content, thoughts = (
            _joined(message.get("content")),
            message.get("reasoning") or message.get("reasoning_content"),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as exc:
        raise MalformedError(f"not a chat completion: {exc!r}") from exc
    usage = _table(reply.get("usage"))
    completion = Completion(
        content=_text(content),
        reasoning=_text(thoughts),
        endpoint=endpoint,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        cached_prompt_tokens=_count(_table(usage.get("prompt_tokens_details")).get("cached_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )
    if finish == "length":
        raise TruncatedError("the answer was cut at max_tokens", partial=completion)
    if finish == "abort":  # vLLM says so, with status 200, of requests that its shutdown cuts off
        raise OutageError("the server aborted the request")
    if finish == "error":
        raise TransientError("the server failed in mid-answer, finish_reason 'error'", partial=completion)
    if finish == "content_filter":
        raise NoAnswerError("the server's content filter cut the answer", partial=completion)
    if not content and message.get("refusal"):
        raise NoAnswerError("the model refused to answer", partial=completion)
    if not content and completion.reasoning:
        raise NoAnswerError(
            "the server gave thoughts and no answer: does its --reasoning-parser fit the model?", partial=completion
        )
    if completion.content != content:
        raise MalformedError(f"no answer, finish_reason {finish!r}", partial=completion)
    return completion


def read_models(reply: Any) -> dict[str, str]:
    """The models in the JSON of a reply to GET /models: what the server has loaded under each name."""
    data = reply.get("data") if isinstance(reply, dict) else None
    models = [model for model in data if isinstance(model, dict)] if isinstance(data, list) else []
    return {str(model.get("id")): encodable(str(model.get("root") or model.get("id"))) for model in models}


def encodable(text: str) -> str:
    """The text with `?` for halves of surrogate pairs, which JSON can hold and UTF-8 can't."""
    return text.encode("utf-8", "replace").decode()


def _joined(content: Any) -> Any:
    """The text of a content that may come in parts."""
    if not isinstance(content, list):
        return content
    return "".join(part if isinstance(part, str) else _text(_table(part).get("text")) for part in content)


def _table(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """The value if it is text that UTF-8 can hold, else no text."""
    return value if isinstance(value, str) and value == encodable(value) else ""


def _count(value: Any) -> int:
    """A number of tokens as the server gave it; 0 for anything that is no such number."""
    return value if isinstance(value, int) and 0 <= value < 2**63 else 0
