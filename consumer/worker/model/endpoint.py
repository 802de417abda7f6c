"""One model server: its client, what it is asked besides completions, and whether it answers."""

import asyncio
import math
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import httpx2
import openai
from openai import AsyncOpenAI, DefaultAioHttpClient

from configs.sections import ModelSettings
from configs.tls import model_context
from consumer.worker.model.controller import LimitController, QueueSample
from inference.bounded import ReplyTooLargeError, bound_reply
from inference.chat import ChatRequest, Completion, Message
from inference.errors import (
    MalformedError,
    ModelError,
    OutageError,
    OverloadError,
    RefusedError,
    TimedOutError,
    TransientError,
    TruncatedError,
    WrongServerError,
)
from inference.openai_wire import encodable, read_completion, read_models, request_body

KEEPALIVE_S = 3.0
"""vLLM closes idle connections after 5 s; a longer keep-alive posts into closed sockets."""
CONNECT_S = 5.0
LOOK_S = 5.0
"""Most seconds for what is asked besides completions."""
PROBE_S = 30.0
"""Within it a server that works makes one token, whatever else it has to do."""
START_LIMIT = 8
MOST_SAID = 300
"""Characters of a server's message that are kept."""
QUOTE = 20
"""Characters of the prompt in a row that make a message one that repeats it."""
RUNNING, WAITING = "vllm:num_requests_running", "vllm:num_requests_waiting"
TOKENS, TOKENS_S = "vllm:inter_token_latency_seconds_count", "vllm:inter_token_latency_seconds_sum"


class Endpoint:
    """One base URL. `away` until it has answered; `root` is what it has loaded under the model's name.

    `sample` is its queue as last seen.
    """

    def __init__(self, client: AsyncOpenAI, url: str, *, model: str, timeout_s: float, limit: LimitController) -> None:
        self.url = url
        self.away = True
        self.root: str | None = None
        self.controller = limit
        self.paused = False
        self.sample = QueueSample(0, 0)
        self._client = client
        self._model = model
        self._timeout_s = timeout_s
        self._pace = Pace()
        self._probe_s = PROBE_S

    @property
    def limit(self) -> int:
        return 0 if self.paused else self.controller.limit

    async def close(self) -> None:
        await self._client.close()

    async def complete(
        self, request: ChatRequest, *, patience: float = 1.0, headers: Iterable[tuple[str, bytes]] = ()
    ) -> Completion:
        """One chat completion, within `patience` times the timeout, or less where the server's pace says so.

        `headers` go along, for vLLM's own traces. Raises a ModelError.
        """
        allowed_s = self._pace.timeout_s(request.max_tokens, most_s=self._timeout_s * patience)
        began = time.monotonic()
        answer = await self._ask(request, allowed_s, headers)
        self._pace.answered(answer.completion_tokens, time.monotonic() - began)
        return answer

    async def _ask(
        self, request: ChatRequest, allowed_s: float, headers: Iterable[tuple[str, bytes]] = ()
    ) -> Completion:
        with _translated(self.url, request):
            async with asyncio.timeout(allowed_s):
                options: Any = {"headers": {name: value.decode() for name, value in headers}} if headers else {}
                body = request_body(request)
                reply = await self._client.post("/chat/completions", body=body, cast_to=object, options=options)
        return read_completion(reply, self.url)

    async def identify(self) -> str:
        """What is loaded under the model's name. Raises ModelError; WrongServerError for a wrong name or key."""
        try:
            with _translated(self.url):
                async with asyncio.timeout(LOOK_S):
                    reply = await self._client.get("/models", cast_to=object)
        except ModelError as exc:
            if isinstance(exc.__cause__, openai.AuthenticationError | openai.PermissionDeniedError):
                raise WrongServerError(f"{self.url} refuses the API key; set VLLM_API_KEY") from exc
            raise
        served = read_models(reply)
        if self._model not in served:
            names = ", ".join(sorted(served)) or "none"
            raise WrongServerError(f"{self.url} has no model {self._model!r}; it serves: {names}. Set --model-name")
        return served[self._model]

    async def probe(self) -> None:
        """One token, since a server may list its model long before, or after, it can answer. Raises a ModelError.

        Within PROBE_S, doubled up to the timeout as long as none comes: the queue before it may be long.
        """
        request = ChatRequest(model=self._model, messages=(Message("user", "Are you ready to answer?"),), max_tokens=1)
        allowed_s = min(self._probe_s, self._timeout_s)
        try:
            await self._ask(request, allowed_s)
        except TruncatedError:  # of course
            pass
        except TimedOutError as exc:
            self._probe_s = 2 * allowed_s
            raise TimedOutError(f"not one token within {allowed_s:.3g} s") from exc
        self._probe_s = PROBE_S

    async def queue(self) -> QueueSample | None:
        """The server's queue by its metrics; None where it has none, under vLLM's names. Raises a ModelError."""
        with _translated(self.url):
            async with asyncio.timeout(LOOK_S):
                try:
                    response = await self._client.get(_beside(self.url, "/metrics"), cast_to=httpx2.Response)
                except openai.NotFoundError:
                    return None
        sample = parse_queue(response.text)
        self.sample = sample or self.sample
        return sample


class Pace:
    """How long a server takes for a token, as seen; so that a hung request is given up long before the timeout."""

    LEAST_S = 60.0
    MARGIN = 10.0
    SMOOTHING = 0.1
    FEW = 20

    def __init__(self) -> None:
        self._seconds_each = 0.0
        self._seen = 0

    def answered(self, tokens: int, seconds: float) -> None:
        if tokens > 0:
            self._seen += 1
            weight = max(self.SMOOTHING, 1 / self._seen)
            self._seconds_each += weight * (seconds / tokens - self._seconds_each)

    def timeout_s(self, tokens: int, *, most_s: float) -> float:
        """For an answer of up to `tokens`: ten times what they take; `most_s` while too little was seen."""
        if self._seen < self.FEW:
            return most_s
        return min(most_s, max(self.LEAST_S, self.MARGIN * self._seconds_each * tokens))


def parse_queue(metrics: str) -> QueueSample | None:
    """From Prometheus' text format; sums over the engines of one server. None for what can't be read."""
    found: dict[str, float] = {}
    for line in metrics.splitlines():
        name = line.partition("{")[0].partition(" ")[0]
        if name in (RUNNING, WAITING, TOKENS, TOKENS_S):
            try:
                found[name] = found.get(name, 0.0) + float(line.rsplit(" ", 1)[-1])
            except ValueError:
                return None
    if not {RUNNING, WAITING} <= found.keys() or not all(0 <= count < math.inf for count in found.values()):
        return None
    return QueueSample(found[RUNNING], found[WAITING], found.get(TOKENS), found.get(TOKENS_S, 0.0))


def make_endpoints(model: ModelSettings, *, concurrency: int) -> list[Endpoint]:
    """Clients without retries of their own: there is one policy, ours. Close each. Raises SettingsError."""
    trusted = model_context(model.model_ca_file)
    limits = httpx2.Limits(max_connections=concurrency + 8, keepalive_expiry=KEEPALIVE_S)
    timeout = httpx2.Timeout(None, connect=CONNECT_S)
    return [
        Endpoint(
            AsyncOpenAI(
                base_url=url,
                api_key=model.api_key.get_secret_value(),
                max_retries=0,
                timeout=timeout,
                http_client=DefaultAioHttpClient(
                    limits=limits, timeout=timeout, verify=trusted, event_hooks={"response": [bound_reply]}
                ),
                default_headers={"Accept-Encoding": "identity"},  # so that what is bounded is what is read
            ),
            url,
            model=model.model_name,
            timeout_s=model.timeout_s,
            limit=LimitController(
                least=1,
                most=concurrency,
                start=min(START_LIMIT, concurrency),
                share=model.share,
            ),
        )
        for url in model.model_urls
    ]


def _beside(url: str, path: str) -> str:
    """`path` on the server of an API's base URL."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.removesuffix("/v1") + path, "", ""))


@contextmanager
def _translated(url: str, request: ChatRequest | None = None) -> Iterator[None]:
    """Errors of the SDK and below it, as ours. Messages never hold the prompt, which `request` has."""
    try:
        yield
    except TimeoutError as exc:
        raise TimedOutError("no answer in time; raise timeout or lower max_tokens") from exc
    except ReplyTooLargeError as exc:
        raise MalformedError(str(exc)) from exc
    except openai.APIStatusError as exc:
        raise _from_status(exc, request) from exc
    except openai.APIConnectionError as exc:
        raise _from_connection(exc, url) from exc
    except (openai.OpenAIError, httpx2.HTTPError, aiohttp.ClientError, ValueError, RecursionError) as exc:
        raise MalformedError(f"unreadable reply: {type(exc).__name__}") from exc


def _from_status(exc: openai.APIStatusError, request: ChatRequest | None) -> ModelError:
    text = f"HTTP {exc.status_code}: {_message(exc, request)}"
    if exc.status_code in (429, 503):
        return OverloadError(text, retry_after_s=_retry_after(exc))
    outage = f"HTTP {exc.status_code}"  # it is logged, and the server's words may repeat some of the prompt
    if "EngineCore" in str(exc.body):
        return OutageError(outage, crashed=True)
    if exc.status_code in (401, 403, 404, 502):
        return OutageError(outage)  # a server with another key or model is not the chunk's fault
    if exc.status_code in (408, 409, 425) or exc.status_code >= 500:
        return TransientError(text)
    return RefusedError(text)


def _message(exc: openai.APIStatusError, request: ChatRequest | None) -> str:
    """The server's own words, cut; not those that repeat the prompt."""
    reply = exc.body if isinstance(exc.body, dict) else {}
    said = encodable(str(reply.get("message") or exc.response.reason_phrase))
    words = said if len(said) <= MOST_SAID else f"{said[:MOST_SAID]}…"
    prompt = request.prompt if request is not None else ""
    quotes = any(words[at : at + QUOTE] in prompt for at in range(len(words) - QUOTE + 1))
    return f"{exc.response.reason_phrase} (its message repeats the prompt)" if quotes else words


def _retry_after(exc: openai.APIStatusError) -> float | None:
    try:
        return max(0.0, float(exc.response.headers.get("retry-after", "")))
    except ValueError:
        return None


def _from_connection(exc: openai.APIConnectionError, url: str) -> ModelError:
    """The aiohttp transport reports refused, reset and closed as time-outs; the cause below tells."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = getattr(cause, "certificate_error", cause).verify_message  # aiohttp's own error has the other in it
            return OutageError(
                f"the certificate of {url} is not trusted: {why}. Name its authority with "
                "--model-ca-file, and the server as its certificate does"
            )
        if isinstance(cause, aiohttp.ServerTimeoutError) and not isinstance(cause, aiohttp.ConnectionTimeoutError):
            return TransientError("the server stopped in mid-answer")
        cause = cause.__cause__ or cause.__context__
    return OutageError(f"no connection to {url}", crashed=_was_connected(exc))


def _was_connected(exc: BaseException) -> bool:
    """The connection was lost under a request that the server had, as when it dies of it."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return False
        cause = cause.__cause__ or cause.__context__
    return True
