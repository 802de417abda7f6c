"""The one place that says why a request got no answer, for the worker, `server check` and the pipeline's look."""

import ssl
from collections.abc import Iterator

import aiohttp
import httpx2
import openai

from inference.errors import ERRORS, Failure, FailureKind, ModelError, OutageError
from inference.openai_wire import encodable
from inference.reply_bound import ReplyTooLargeError

FAILURES = (
    TimeoutError, ReplyTooLargeError, openai.OpenAIError, httpx2.HTTPError, aiohttp.ClientError,
    ValueError, RecursionError,
)  # fmt: skip
"""Exceptions that the SDK and what is below it may raise for a request."""
MOST_SAID = 300
"""Characters of a server's message that are kept."""
QUOTE = 20
"""So many characters of the prompt in a row make a message one that repeats the prompt."""
STATUSES = (
    dict.fromkeys((401, 403), FailureKind.KEY_REFUSED)
    | {404: FailureKind.NOT_FOUND, 502: FailureKind.BAD_GATEWAY}
    | dict.fromkeys((408, 409, 425), FailureKind.SERVER_FAILED)
    | dict.fromkeys((429, 503), FailureKind.OVERLOADED)
)
"""HTTP statuses with a meaning of their own; others from 500 on are SERVER_FAILED, and below REQUEST_REFUSED."""
_LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientResponseError, ConnectionResetError)
CONNECTIONS: dict[FailureKind, tuple[type[BaseException], ...]] = {
    FailureKind.UNKNOWN_HOST: (aiohttp.ClientConnectorDNSError,),
    FailureKind.UNTRUSTED_CERTIFICATE: (ssl.SSLCertVerificationError,),
    FailureKind.TLS_FAILED: (ssl.SSLError, aiohttp.ClientSSLError),
    FailureKind.CONNECTION_REFUSED: (ConnectionRefusedError,),
    FailureKind.CONNECT_TIMED_OUT: (aiohttp.ConnectionTimeoutError,),
    FailureKind.STALLED: (aiohttp.ServerTimeoutError,),
    FailureKind.CONNECTION_LOST: _LOST,
}
"""Causes of the SDK's connection errors, the most telling first. The SDK reports them all as time-outs."""


def error_of(exc: BaseException, *, url: str, prompt: str = "") -> ModelError:
    """The error to raise for an exception of the SDK, or of what is below it, from a request to the base URL `url`.

    Its message never holds any of the prompt.
    """
    if isinstance(exc, TimeoutError):
        return _error(FailureKind.TIMED_OUT, "no answer in time; raise timeout or lower max_tokens")
    if isinstance(exc, openai.APIStatusError):
        return _from_status(exc, prompt)
    if isinstance(exc, openai.APIConnectionError):
        return _from_connection(exc, url)
    said = str(exc) if isinstance(exc, ReplyTooLargeError) else f"unreadable reply: {type(exc).__name__}"
    return _error(FailureKind.UNREADABLE, said)


def _error(kind: FailureKind, message: str, failure: Failure | None = None, **more: float | bool | None) -> ModelError:
    return ERRORS.get(kind, OutageError)(message, failure=failure or Failure(kind, message), **more)  # type: ignore[arg-type]


def _from_status(exc: openai.APIStatusError, prompt: str) -> ModelError:
    kind = _kind_of_status(exc)
    body = exc.body if isinstance(exc.body, dict) else {}
    said = encodable(str(body["message"])) if body.get("message") is not None else None
    failure = Failure(kind, str(exc.response.reason_phrase), exc.status_code, said)
    message = f"HTTP {exc.status_code}"
    if kind in ERRORS:  # the message of an outage is logged, and the server's words may repeat some of the prompt
        message += f": {_words(failure, prompt)}"
    died = kind is FailureKind.ENGINE_DIED
    return _error(kind, message, failure, crashed=died, retry_after_s=_retry_after_s(exc))


def _kind_of_status(exc: openai.APIStatusError) -> FailureKind:
    kind = STATUSES.get(exc.status_code)
    if kind is not FailureKind.OVERLOADED and "EngineCore" in str(exc.body):  # vLLM's API outlives its engine
        return FailureKind.ENGINE_DIED
    return kind or (FailureKind.SERVER_FAILED if exc.status_code >= 500 else FailureKind.REQUEST_REFUSED)


def _retry_after_s(exc: openai.APIStatusError) -> float | None:
    try:
        return max(0.0, float(exc.response.headers.get("retry-after", "")))
    except ValueError:
        return None


def _words(failure: Failure, prompt: str) -> str:
    """The server's own words, cut to MOST_SAID characters, unless they repeat the prompt."""
    said = failure.said or failure.detail
    words = said if len(said) <= MOST_SAID else f"{said[:MOST_SAID]}…"
    quotes = any(words[at : at + QUOTE] in prompt for at in range(len(words) - QUOTE + 1))
    return f"{failure.detail} (its message repeats the prompt)" if quotes else words


def _from_connection(exc: openai.APIConnectionError, url: str) -> ModelError:
    causes = list(_causes(exc))
    kinds = (kind for kind, types in CONNECTIONS.items() if any(isinstance(cause, types) for cause in causes))
    kind = next(kinds, FailureKind.NO_CONNECTION)
    failure = Failure(kind, str(causes[-1]) or type(causes[-1]).__name__)
    if kind is FailureKind.STALLED:
        return _error(kind, "the server stopped in mid-answer", failure)
    if kind is FailureKind.UNTRUSTED_CERTIFICATE:
        cause = next(cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError))
        why = getattr(cause, "certificate_error", cause).verify_message  # aiohttp's error wraps that of Python
        advice = "Name its authority with --model-ca-file, and the server as its certificate does"
        return _error(kind, f"the certificate of {url} is not trusted: {why}. {advice}", failure)
    unconnected = any(
        isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError) for cause in causes
    )
    return _error(kind, f"no connection to {url}", failure, crashed=not unconnected)


def _causes(exc: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = exc
    while cause is not None:
        yield cause
        if isinstance(cause, aiohttp.ClientConnectorError):
            yield cause.os_error
        cause = cause.__cause__ or cause.__context__
