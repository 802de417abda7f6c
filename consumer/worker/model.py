"""The client of the model server(s): one call, with every failure as one of our classes."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx2
import openai
from openai import AsyncOpenAI, DefaultAioHttpClient

from configs.settings import Settings
from consumer.worker.answers import Answer
from consumer.worker.errors import (
    MalformedError,
    ModelError,
    OutageError,
    OverloadError,
    RefusedError,
    TransientError,
    TruncatedError,
    WorkerError,
)

KEEPALIVE_S = 3.0
"""vLLM closes idle connections after 5 s; a longer keep-alive posts into closed sockets."""
CONNECT_S = 5.0
RETRY_S = 1.0
log = logging.getLogger(__name__)


class Endpoint:
    """One base URL: its client, its calls under way, and whether it answers."""

    def __init__(self, client: AsyncOpenAI, url: str) -> None:
        self.client = client
        self.url = url
        self.outstanding = 0
        self.away = False


class ModelClient:
    """Sends each call to the endpoint with the fewest under way; one that is away is the last choice."""

    def __init__(self, endpoints: list[Endpoint], *, model: str, timeout_s: float) -> None:
        self._endpoints = endpoints
        self._model = model
        self._timeout_s = timeout_s
        self._root: str | None = None

    async def root(self) -> str:
        """What the servers have loaded under the model's name; waits for a server that is away.

        Raises WorkerError when the name is unknown, the key is refused, or endpoints have loaded different models.
        """
        while self._root is None:
            roots = {root for endpoint in self._endpoints if (root := await self._identify(endpoint)) is not None}
            if len(roots) > 1:
                raise WorkerError(
                    f"the endpoints serve different models as {self._model!r}: {', '.join(sorted(roots))}"
                )
            if roots:
                self._root = roots.pop()
            else:
                await asyncio.sleep(RETRY_S)
        return self._root

    async def complete(self, body: dict[str, Any]) -> Answer:
        """One chat completion. Raises a ModelError."""
        endpoint = min(self._endpoints, key=lambda each: (each.away, each.outstanding))
        endpoint.outstanding += 1
        try:
            with _translated(endpoint.url):
                async with asyncio.timeout(self._timeout_s):
                    reply: Any = await endpoint.client.post("/chat/completions", body=body, cast_to=object)
            answer = _read(reply, endpoint.url)
        except OutageError as exc:
            self._lost(endpoint, exc)
            raise
        finally:
            endpoint.outstanding -= 1
        self._found(endpoint)
        return answer

    async def _identify(self, endpoint: Endpoint) -> str | None:
        try:
            with _translated(endpoint.url):
                async with asyncio.timeout(CONNECT_S * 2):
                    reply: Any = await endpoint.client.get("/models", cast_to=object)
        except ModelError as exc:
            if isinstance(exc.__cause__, openai.AuthenticationError | openai.PermissionDeniedError):
                raise WorkerError(f"{endpoint.url} refuses the API key; set VLLM_API_KEY") from exc
            self._lost(endpoint, exc)
            return None
        served = {str(model.get("id")): str(model.get("root") or model.get("id")) for model in _models(reply)}
        if self._model not in served:
            names = ", ".join(sorted(served)) or "none"
            raise WorkerError(f"{endpoint.url} has no model {self._model!r}; it serves: {names}. Set --model-name")
        self._found(endpoint)
        return served[self._model]

    def _lost(self, endpoint: Endpoint, exc: ModelError) -> None:
        if not endpoint.away:
            log.warning("model server %s is away (%s); waiting for it", endpoint.url, exc)
        endpoint.away = True
        self._root = None  # what comes back may have loaded another model

    def _found(self, endpoint: Endpoint) -> None:
        if endpoint.away:
            log.info("model server %s is back", endpoint.url)
        endpoint.away = False


def make_endpoints(settings: Settings) -> list[Endpoint]:
    """Clients without retries of their own: there is one policy, ours. Close each client."""
    limits = httpx2.Limits(max_connections=settings.concurrency + 8, keepalive_expiry=KEEPALIVE_S)
    timeout = httpx2.Timeout(settings.timeout_s, connect=CONNECT_S)
    return [
        Endpoint(
            AsyncOpenAI(
                base_url=url,
                api_key=settings.api_key.get_secret_value(),
                max_retries=0,
                timeout=timeout,
                http_client=DefaultAioHttpClient(limits=limits, timeout=timeout),
            ),
            url,
        )
        for url in settings.model_urls
    ]


def _models(reply: Any) -> list[dict[str, Any]]:
    data = reply.get("data") if isinstance(reply, dict) else None
    return [model for model in data if isinstance(model, dict)] if isinstance(data, list) else []


def _read(reply: Any, url: str) -> Answer:
    """The answer in a reply of 200; anything but a finished one is an error."""
    try:
        choice = reply["choices"][0]
        finish, message = choice["finish_reason"], choice["message"]
        content, reasoning = message.get("content"), message.get("reasoning")
        usage = reply.get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
    except (KeyError, IndexError, TypeError, AttributeError) as exc:
        raise MalformedError(f"not a chat completion: {exc!r}") from exc
    if finish == "length":
        raise TruncatedError("the answer was cut at max_tokens")
    if finish == "abort":  # vLLM's answer of 200 to requests that a shutdown cuts off
        raise OutageError("the server aborted the request")
    if finish != "stop" or not isinstance(content, str):
        raise MalformedError(f"no answer, finish_reason {finish!r}")
    return Answer(
        content=content,
        reasoning=reasoning if isinstance(reasoning, str) else "",
        endpoint=url,
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        cached_prompt_tokens=int(details.get("cached_tokens") or 0),
        completion_tokens=int(usage.get("completion_tokens") or 0),
    )


@contextmanager
def _translated(url: str) -> Iterator[None]:
    """Errors of the SDK and below it, as ours. Messages never hold the prompt."""
    try:
        yield
    except TimeoutError as exc:
        raise TransientError("no answer in time; raise timeout or lower max_tokens") from exc
    except openai.APIStatusError as exc:
        raise _from_status(exc) from exc
    except openai.APIConnectionError as exc:
        raise _from_connection(exc, url) from exc
    except (openai.OpenAIError, httpx2.HTTPError, ValueError) as exc:
        raise MalformedError(f"unreadable reply: {type(exc).__name__}") from exc


def _from_status(exc: openai.APIStatusError) -> ModelError:
    text = f"HTTP {exc.status_code}: {_message(exc)}"
    if exc.status_code in (429, 503):
        return OverloadError(text, retry_after_s=_retry_after(exc))
    if exc.status_code in (401, 403, 404) or exc.status_code == 502 or "EngineCore" in str(exc.body):
        return OutageError(text)  # a server with another key or model is not the chunk's fault
    if exc.status_code in (408, 409, 425) or exc.status_code >= 500:
        return TransientError(text)
    return RefusedError(text)


def _message(exc: openai.APIStatusError) -> str:
    """The server's own words, cut: they may repeat some of the prompt."""
    body = exc.body if isinstance(exc.body, dict) else {}
    return str(body.get("message") or exc.response.reason_phrase)[:200]


def _retry_after(exc: openai.APIStatusError) -> float | None:
    try:
        return max(0.0, float(exc.response.headers.get("retry-after", "")))
    except ValueError:
        return None


def _from_connection(exc: openai.APIConnectionError, url: str) -> ModelError:
    """The aiohttp transport reports refused, reset and closed as time-outs; the cause below tells."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, aiohttp.ServerTimeoutError) and not isinstance(cause, aiohttp.ConnectionTimeoutError):
            return TransientError("the server stopped in mid-answer")
        cause = cause.__cause__ or cause.__context__
    return OutageError(f"no connection to {url}")
