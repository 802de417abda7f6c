"""The errors of this package. All of them end the program with exit code 1."""

from configs.errors import QAStreamError


class ServerError(QAStreamError):
    """A server on this machine failed."""


class JavaError(ServerError):
    """There is no Java that Kafka can run on."""


class JarsError(ServerError):
    """Kafka's jars can't be downloaded, or they are not the ones we pinned."""


class BrokerError(ServerError):
    """The broker doesn't start, or it died."""


class EmbeddedError(ServerError):
    """The embedded model server doesn't start."""


class VLLMError(ServerError):
    """vLLM doesn't start."""


class CheckError(ServerError):
    """The model server does not answer as one; `advice` says what to do."""

    def __init__(self, reason: str, *, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice
