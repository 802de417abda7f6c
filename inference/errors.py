"""Why a chat request got no completion.

WrongServerError           the server does not take our key, or does not serve our model: a setting has to change
ModelError                 one call failed
├── OutageError            the server is away or is stopping: the call waits, and no attempt is used
├── OverloadError          the server says that it has too much to do
├── TransientError         the call may work the next time
│   └── TimedOutError      the answer did not come in time
├── MalformedError         the server answered, but not with what was asked for
├── TruncatedError         the answer was cut at max_tokens
├── CutShortError          the answer was cut, and the server accepts no request for more tokens
├── KillsServerError       the server died of this request, which it had alone
└── RefusedError           the server will never accept this request

`inference.failures` finds out which of them it is.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from configs.errors import QAStreamError
from inference.chat import Completion
from schemas.error_classes import ERROR_CLASSES, Retry


class FailureKind(Enum):
    """What stood between a request and its completion, as finely as a user has to know it."""

    UNKNOWN_HOST = auto()
    UNTRUSTED_CERTIFICATE = auto()
    TLS_FAILED = auto()
    CONNECTION_REFUSED = auto()
    CONNECT_TIMED_OUT = auto()
    NO_CONNECTION = auto()
    CONNECTION_LOST = auto()
    STALLED = auto()  # the server stopped in the middle of its answer
    TIMED_OUT = auto()
    KEY_REFUSED = auto()
    NOT_FOUND = auto()
    BAD_GATEWAY = auto()
    ENGINE_DIED = auto()
    OVERLOADED = auto()
    SERVER_FAILED = auto()
    REQUEST_REFUSED = auto()
    UNREADABLE = auto()  # the server answered, but not as this API does


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What was seen of a request that failed.

    `detail` is the reason in a few words, of the operating system or the HTTP client. `status` is the HTTP status and
    `said` the server's own words, if there were any; they may repeat some of the prompt. `crashed` is true if the
    server was lost while it had the request, as when it dies of it. `retry_after_s` is the wait that it asks for.
    """

    kind: FailureKind
    detail: str
    status: int | None = None
    said: str | None = None
    crashed: bool = False
    retry_after_s: float | None = None


class WrongServerError(QAStreamError):
    """The server refuses the API key, or does not serve the model; the message names the setting to change."""


class ModelError(Exception):
    """A call to the model server failed. `error_class` is the name in `schemas.error_classes`.

    `failure` is what was seen, if the call got no completion at all. `partial` is what the server answered, if that can
    be read although it is cut or empty.
    """

    error_class: ClassVar[str]

    def __init__(self, message: str, *, failure: Failure | None = None, partial: Completion | None = None) -> None:
        super().__init__(message)
        self.failure = failure
        self.partial = partial

    @property
    def retry(self) -> Retry:
        """When the call is made again."""
        return ERROR_CLASSES[self.error_class].retry


class OutageError(ModelError):
    """The server is away, is stopping, or serves something else.

    `crashed`: the server was lost while it had the request. `beside_others`: the request should have been alone at the
    server, but other users had requests there too.
    """

    error_class = "outage"

    def __init__(
        self, message: str, *, failure: Failure | None = None, crashed: bool = False, beside_others: bool = False
    ) -> None:
        super().__init__(message, failure=failure)
        self.crashed = crashed
        self.beside_others = beside_others


class OverloadError(ModelError):
    """The server has too much to do; `retry_after_s` is the wait in seconds that it asks for, if it says one."""

    error_class = "overload"

    def __init__(self, message: str, *, failure: Failure | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, failure=failure)
        self.retry_after_s = retry_after_s


class TransientError(ModelError):
    """The server had an internal error, or did not answer in time."""

    error_class = "transient"


class TimedOutError(TransientError):
    """The answer did not come in time."""


class MalformedError(ModelError):
    """The reply is no chat completion, or its answer does not fit the schema."""

    error_class = "malformed"


class TruncatedError(ModelError):
    """The answer was cut at `max_tokens` (`finish_reason: length`)."""

    error_class = "truncated"


class CutShortError(ModelError):
    """The answer was cut, and the server refuses to give it more tokens: no call with more can succeed."""

    error_class = "truncated"

    @property
    def retry(self) -> Retry:
        return Retry.NEVER


class RefusedError(ModelError):
    """The server does not accept the request: 400, 413, 422 and other 4xx."""

    error_class = "refused"


class KillsServerError(ModelError):
    """The server died with this request in hand three times, the last time with no other request."""

    error_class = "kills_server"
