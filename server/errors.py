"""The errors of this package."""

from configs.errors import QAStreamError


class ServerError(QAStreamError):
    """A server on this machine does not start, or it died."""


class CheckError(ServerError):
    """The model server does not answer as one; `advice` says what to do."""

    def __init__(self, reason: str, *, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice
