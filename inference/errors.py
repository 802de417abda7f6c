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
"""

from typing import ClassVar

from configs.errors import QAStreamError
from schemas.error_classes import ERROR_CLASSES, Retry


class WrongServerError(QAStreamError):
    """The server refuses the API key, or does not serve the model; the message names the setting to change."""


class ModelError(Exception):
    """A call to the model server failed. `error_class` is the name in `schemas.error_classes`."""

    error_class: ClassVar[str]

    @property
    def retry(self) -> Retry:
        """When the call is made again."""
        return ERROR_CLASSES[self.error_class].retry


class OutageError(ModelError):
    """The server is away, is stopping, or serves something else.

    `crashed`: the connection was lost while the server had the request. `beside_others`: the request should have been
    alone at the server, but other users had requests there too.
    """

    error_class = "outage"

    def __init__(self, message: str, *, crashed: bool = False, beside_others: bool = False) -> None:
        super().__init__(message)
        self.crashed = crashed
        self.beside_others = beside_others


class OverloadError(ModelError):
    """The server has too much to do; `retry_after_s` is the wait in seconds that it asks for, if it says one."""

    error_class = "overload"

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
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
