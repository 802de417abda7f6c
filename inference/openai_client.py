"""A model server that speaks OpenAI's API, as vLLM does: `ModelClient` over HTTP."""

import asyncio
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx2
from openai import AsyncOpenAI, DefaultAioHttpClient

from configs.sections import ModelSettings
from configs.tls import client_context
from inference.chat import ChatMessage, ChatRequest, Completion
from inference.client import CONNECT_S, ModelClient, QueueSample
from inference.errors import FailureKind, OutageError, TruncatedError
from inference.failures import FAILURES, error_of
from inference.openai_wire import read_completion, read_models, request_body
from inference.reply_bound import bound_reply
from inference.vllm_metrics import parse_queue

T = TypeVar("T")
KEEPALIVE_S = 3.0
"""vLLM closes idle connections after 5 s. A longer keep-alive would send requests into closed sockets."""
LOOK_S = 5.0
"""Most seconds for a list of models or for metrics."""


class OpenAIClient(ModelClient):
    """A ModelClient that takes what vLLM adds to OpenAI's API: roots of models, metrics beside the API."""

    def __init__(self, settings: ModelSettings, url: str, *, connections: int = 1) -> None:
        """At most `connections` are open at once. Raises SettingsError for a model_ca_file that can't be used."""
        self.url = url
        timeout = httpx2.Timeout(None, connect=CONNECT_S)
        http = DefaultAioHttpClient(
            limits=httpx2.Limits(max_connections=connections, keepalive_expiry=KEEPALIVE_S),
            timeout=timeout,
            verify=client_context(settings.model_ca_file, setting="model_ca_file"),
            event_hooks={"response": [bound_reply]},
        )
        self._sdk = AsyncOpenAI(
            base_url=url,
            api_key=settings.api_key.get_secret_value(),
            max_retries=0,  # there is one policy of retries, which is the caller's
            timeout=timeout,
            http_client=http,
            default_headers={"Accept-Encoding": "identity"},  # so that what is bounded is what is read
        )

    async def complete(
        self, request: ChatRequest, *, timeout_s: float, headers: Iterable[tuple[str, bytes]] = ()
    ) -> Completion:
        names = {name: value.decode() for name, value in headers}
        options: Any = {"headers": names} if names else {}
        sent = self._sdk.post("/chat/completions", body=request_body(request), cast_to=object, options=options)
        return read_completion(await self._reply(sent, within_s=timeout_s, prompt=request.prompt), self.url)

    async def models(self) -> dict[str, str]:
        return read_models(await self._reply(self._sdk.get("/models", cast_to=object), within_s=LOOK_S))

    async def probe(self, model: str, *, timeout_s: float) -> None:
        request = ChatRequest(model=model, messages=(ChatMessage("user", "Are you ready to answer?"),), max_tokens=1)
        with suppress(TruncatedError):  # one token is rarely a whole answer
            await self.complete(request, timeout_s=timeout_s)

    async def queue(self) -> QueueSample | None:
        sent = self._sdk.get(_beside(self.url, "/metrics"), cast_to=httpx2.Response)
        try:
            return parse_queue((await self._reply(sent, within_s=LOOK_S)).text)
        except OutageError as exc:
            if exc.kind is FailureKind.NOT_FOUND:
                return None
            raise

    async def close(self) -> None:
        await self._sdk.close()

    async def _reply(self, sent: Awaitable[T], *, within_s: float, prompt: str = "") -> T:
        """Waits for a reply. Exceptions of the SDK, and of what is below it, become ModelErrors."""
        try:
            async with asyncio.timeout(within_s):
                return await sent
        except FAILURES as exc:
            raise error_of(exc, url=self.url, prompt=prompt) from exc


def _beside(url: str, path: str) -> str:
    """`path` on the server of an API's base URL."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.removesuffix("/v1") + path, "", ""))
