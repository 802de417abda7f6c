"""The one place that says why a request got no answer: an exception or a status becomes a `Failure`, and that an error.

The worker, `server check` and the pipeline's look at a server all use it.
"""

import ssl
from collections.abc import Iterator

import aiohttp
import openai

from inference.errors import (
    Failure,
    FailureKind,
    MalformedError,
    ModelError,
    OutageError,
    OverloadError,
    RefusedError,
    TimedOutError,
    TransientError,
)
from inference.reply_bound import ReplyTooLargeError
from inference.text import encodable

MOST_SAID = 300
"""Characters of a server's message that are kept."""
QUOTE = 20
"""So many characters of the prompt in a row make a message one that repeats the prompt."""
ERRORS: dict[FailureKind, type[ModelError]] = {
    FailureKind.UNKNOWN_HOST: OutageError,
    FailureKind.UNTRUSTED_CERTIFICATE: OutageError,
    FailureKind.TLS_FAILED: OutageError,
    FailureKind.CONNECTION_REFUSED: OutageError,
    FailureKind.CONNECT_TIMED_OUT: OutageError,
    FailureKind.NO_CONNECTION: OutageError,
    FailureKind.CONNECTION_LOST: OutageError,
    FailureKind.KEY_REFUSED: OutageError,  # a server with another key or model is not the chunk's fault
    FailureKind.NOT_FOUND: OutageError,
    FailureKind.BAD_GATEWAY: OutageError,
    FailureKind.ENGINE_DIED: OutageError,
    FailureKind.OVERLOADED: OverloadError,
    FailureKind.STALLED: TransientError,
    FailureKind.SERVER_FAILED: TransientError,
    FailureKind.TIMED_OUT: TimedOutError,
    FailureKind.UNREADABLE: MalformedError,
    FailureKind.REQUEST_REFUSED: RefusedError,
}
STATUSES = {
    401: FailureKind.KEY_REFUSED,
    403: FailureKind.KEY_REFUSED,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.SERVER_FAILED,
    409: FailureKind.SERVER_FAILED,
    425: FailureKind.SERVER_FAILED,
    429: FailureKind.OVERLOADED,
    502: FailureKind.BAD_GATEWAY,
    503: FailureKind.OVERLOADED,
}
"""HTTP statuses with a meaning of their own; others from 500 on are SERVER_FAILED, and below REQUEST_REFUSED."""
CONNECTIONS: dict[FailureKind, tuple[type[BaseException], ...]] = {
    FailureKind.UNKNOWN_HOST: (aiohttp.ClientConnectorDNSError,),
    FailureKind.UNTRUSTED_CERTIFICATE: (ssl.SSLCertVerificationError,),
    FailureKind.TLS_FAILED: (ssl.SSLError, aiohttp.ClientSSLError),
    FailureKind.CONNECTION_REFUSED: (ConnectionRefusedError,),
    FailureKind.CONNECT_TIMED_OUT: (aiohttp.ConnectionTimeoutError,),
    FailureKind.STALLED: (aiohttp.ServerTimeoutError,),
    FailureKind.CONNECTION_LOST: (
        aiohttp.ServerDisconnectedError,
        aiohttp.ClientPayloadError,
        aiohttp.ClientResponseError,
        ConnectionResetError,
    ),
}
"""Exceptions below the SDK's, the most telling first. The SDK alone reports refused, reset and closed as time-outs."""


def failure_of(exc: BaseException) -> Failure:
    """What an exception of the HTTP client or the SDK says of the request."""
    if isinstance(exc, TimeoutError):
        return Failure(kind=FailureKind.TIMED_OUT, detail="no answer in time")
    if isinstance(exc, ReplyTooLargeError):
        return Failure(kind=FailureKind.UNREADABLE, detail=str(exc))
    if isinstance(exc, openai.APIStatusError):
        return _from_status(exc)
    if isinstance(exc, openai.APIConnectionError):
        return _from_connection(exc)
    return Failure(kind=FailureKind.UNREADABLE, detail=f"unreadable reply: {type(exc).__name__}")


def error_of(failure: Failure, *, url: str, prompt: str = "") -> ModelError:
    """The error to raise for a failed request to the base URL `url`. Its message never holds any of the prompt."""
    message = _message(failure, url, prompt)
    match ERRORS[failure.kind]:
        case kind if kind is OutageError:
            return OutageError(message, failure=failure, crashed=failure.crashed)
        case kind if kind is OverloadError:
            return OverloadError(message, failure=failure, retry_after_s=failure.retry_after_s)
        case kind:
            return kind(message, failure=failure)


def _from_status(exc: openai.APIStatusError) -> Failure:
    body = exc.body if isinstance(exc.body, dict) else {}
    said = body.get("message")
    return Failure(
        kind=(kind := _kind_of_status(exc)),
        detail=str(exc.response.reason_phrase),
        status=exc.status_code,
        said=None if said is None else encodable(str(said)),
        crashed=kind is FailureKind.ENGINE_DIED,
        retry_after_s=_retry_after_s(exc),
    )


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


def _from_connection(exc: openai.APIConnectionError) -> Failure:
    causes = list(_causes(exc))
    kind = next(
        (kind for kind, types in CONNECTIONS.items() if any(isinstance(cause, types) for cause in causes)),
        FailureKind.NO_CONNECTION,
    )
    return Failure(kind=kind, detail=_detail(kind, causes), crashed=_was_connected(causes))


def _causes(exc: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = exc
    while cause is not None:
        yield cause
        if isinstance(cause, aiohttp.ClientConnectorError):
            yield cause.os_error
        cause = cause.__cause__ or cause.__context__


def _detail(kind: FailureKind, causes: list[BaseException]) -> str:
    if kind is FailureKind.UNTRUSTED_CERTIFICATE:
        cause = next(cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError))
        return str(getattr(cause, "certificate_error", cause).verify_message)  # aiohttp wraps the one of Python
    return str(causes[-1]) or type(causes[-1]).__name__


def _was_connected(causes: list[BaseException]) -> bool:
    """True if the server had the request when the connection was lost, as when it dies of it."""
    return not any(isinstance(each, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError) for each in causes)


def _message(failure: Failure, url: str, prompt: str) -> str:
    if failure.status is not None:
        logged = ERRORS[failure.kind] is OutageError  # and the server's words may repeat some of the prompt
        return f"HTTP {failure.status}" if logged else f"HTTP {failure.status}: {_words(failure, prompt)}"
    match failure.kind:
        case FailureKind.TIMED_OUT:
            return "no answer in time; raise timeout or lower max_tokens"
        case FailureKind.STALLED:
            return "the server stopped in mid-answer"
        case FailureKind.UNREADABLE:
            return failure.detail
        case FailureKind.UNTRUSTED_CERTIFICATE:
            return (
                f"the certificate of {url} is not trusted: {failure.detail}. Name its authority with "
                "--model-ca-file, and the server as its certificate does"
            )
    return f"no connection to {url}"


def _words(failure: Failure, prompt: str) -> str:
    """The server's own words, cut to MOST_SAID characters, unless they repeat the prompt."""
    said = failure.said or failure.detail
    words = said if len(said) <= MOST_SAID else f"{said[:MOST_SAID]}…"
    quotes = any(words[at : at + QUOTE] in prompt for at in range(len(words) - QUOTE + 1))
    return f"{failure.detail} (its message repeats the prompt)" if quotes else words
