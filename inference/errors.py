"""The reasons why a chat request got no completion. `inference.failures` finds out which error it is."""

from enum import Enum
from typing import ClassVar, NamedTuple

from configs.errors import QAStreamError
from inference.chat import Completion
from schemas.error_classes import ERROR_CLASSES, Retry

FailureKind = Enum(
    "FailureKind",
    "UNKNOWN_HOST UNTRUSTED_CERTIFICATE TLS_FAILED CONNECTION_REFUSED CONNECT_TIMED_OUT NO_CONNECTION CONNECTION_LOST "
    "STALLED TIMED_OUT KEY_REFUSED NOT_FOUND BAD_GATEWAY ENGINE_DIED OVERLOADED SERVER_FAILED REQUEST_REFUSED "
    "UNREADABLE",
)
"""The things that can stand between a request and its completion, as finely as a user has to know them.

STALLED: the server stopped in the middle of its answer. UNREADABLE: the server answered, but not as its API does.
"""


class Failure(NamedTuple):
    """A request that failed, as it was seen: `detail` in a few words of the system or the HTTP client.

    `status` is the HTTP status and `said` the server's own words, if there were any; they may repeat the prompt.
    """

    kind: FailureKind
    detail: str
    status: int | None = None
    said: str | None = None


class WrongServerError(QAStreamError):
    """The server refuses the API key, or does not serve the model; the message names the setting to change."""


class ModelError(Exception):
    """A call to the model server failed.

    `failure` is what was seen if there was no reply with a completion, `partial` what can be read of a completion that
    is cut or empty. `crashed`: the server was lost while it had the request. `beside_others`: the request should have
    been alone at the server, but other users had requests there. `retry_after_s`: the wait that the server asks for.
    """

    error_class: ClassVar[str]
    """The name in `schemas.error_classes`."""

    def __init__(
        self,
        message: str,
        *,
        failure: Failure | None = None,
        partial: Completion | None = None,
        crashed: bool = False,
        beside_others: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.failure, self.kind = failure, failure and failure.kind
        self.partial = partial
        self.crashed = crashed
        self.beside_others = beside_others
        self.retry_after_s = retry_after_s

    @property
    def retry(self) -> Retry:
        """When the call is made again."""
        return ERROR_CLASSES[self.error_class].retry


class OutageError(ModelError):
    """The server is away, is stopping, or serves something else."""

    error_class = "outage"


class OverloadError(ModelError):
    """The server says that it has too much to do."""

    error_class = "overload"


class TransientError(ModelError):
    """The server had an internal error, or did not answer in time: the call may work the next time."""

    error_class = "transient"


class TimedOutError(TransientError):
    """The answer did not come in time."""


class MalformedError(ModelError):
    """The reply is no chat completion, or its answer does not fit the schema."""

    error_class = "malformed"


class NoAnswerError(MalformedError):
    """The reply says itself why it has no answer: another call would cost as much and say the same."""

    retry = Retry.NEVER


class TruncatedError(ModelError):
    """The answer was cut at `max_tokens` (`finish_reason: length`)."""

    error_class = "truncated"


class CutShortError(ModelError):
    """The answer was cut, and the server refuses to give it more tokens: no call with more can succeed."""

    error_class = "truncated"
    retry = Retry.NEVER


class RefusedError(ModelError):
    """The server will never accept the request: 400, 413, 422 and other 4xx."""

    error_class = "refused"


class KillsServerError(ModelError):
    """The server died with this request in hand three times, the last time with no other request."""

    error_class = "kills_server"


ERRORS: dict[FailureKind, type[ModelError]] = {
    FailureKind.OVERLOADED: OverloadError,
    FailureKind.STALLED: TransientError,
    FailureKind.SERVER_FAILED: TransientError,
    FailureKind.TIMED_OUT: TimedOutError,
    FailureKind.UNREADABLE: MalformedError,
    FailureKind.REQUEST_REFUSED: RefusedError,
}
"""The error for each kind of failure. A missing kind is an outage: another key or model is the server's fault."""
