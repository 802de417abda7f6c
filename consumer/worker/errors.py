"""What can go wrong between a chunk and its answer.

WorkerError                the worker stops; the message says what to do
└── OffsetsLostError       committed offsets are gone or strange
ModelError                 one call failed
├── OutageError            the server is away or stopping: wait, uses up no attempts
├── OverloadError          it said that it has too much to do
├── TransientError         it may work the next time
│   └── TimedOutError      it took too long
├── MalformedError         it answered, but not with what was asked for
├── TruncatedError         its answer was cut at max_tokens
├── CutShortError          it was cut, and the server takes no request for more tokens
├── KillsServerError       the server died of it, alone
└── RefusedError           it will never accept this request
"""

from configs.errors import QAStreamError


class WorkerError(QAStreamError):
    """The worker can't go on."""


class OffsetsLostError(WorkerError):
    """The group's offset of a partition is missing, out of range or not ours."""


class ModelError(Exception):
    """A call to the model server failed; `error_class` is what results and dead letters say."""

    error_class = "model"


class OutageError(ModelError):
    """The server is away, stopping, or serves something else.

    `crashed` when it went with the request in hand; `beside_others`: it was to be alone there, but others had some too.
    """

    error_class = "outage"

    def __init__(self, message: str, *, crashed: bool = False, beside_others: bool = False) -> None:
        super().__init__(message)
        self.crashed = crashed
        self.beside_others = beside_others


class OverloadError(ModelError):
    """The server has too much to do; `retry_after_s` is what it asked for."""

    error_class = "overload"

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TransientError(ModelError):
    """An internal error, or no answer in time."""

    error_class = "transient"


class TimedOutError(TransientError):
    """No answer in time."""


class MalformedError(ModelError):
    """The answer does not fit the schema."""

    error_class = "malformed"


class TruncatedError(ModelError):
    """finish_reason was `length`."""

    error_class = "truncated"


class CutShortError(ModelError):
    """finish_reason was `length`, and the server refuses to give the answer more tokens."""

    error_class = "truncated"


class RefusedError(ModelError):
    """The request is not acceptable: 400, 413, 422."""

    error_class = "refused"


class KillsServerError(ModelError):
    """The server died with this request in hand three times, the last time with nothing else."""

    error_class = "kills_server"
