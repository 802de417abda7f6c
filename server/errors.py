"""The errors of this package.

QAStreamError
├── SettingsError           wrong usage: exit code 2
└── ServerError             something failed: exit code 1
    ├── JavaError           there is no Java that Kafka can run on
    ├── JarsError           Kafka's jars can't be downloaded, or are not the ones we pinned
    ├── BrokerError         the broker doesn't start, or it died
    ├── EmbeddedError       the embedded model server doesn't start
    ├── VLLMError           vLLM doesn't start
    └── CheckError          the model server doesn't answer as one
"""

from configs.errors import QAStreamError, SettingsError

__all__ = [
    "BrokerError", "CheckError", "EmbeddedError", "JarsError", "JavaError", "QAStreamError", "ServerError",
    "SettingsError", "VLLMError",
]  # fmt: skip


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
