"""Errors of this package.

QAStreamError
├── SettingsError            wrong usage: exit code 2
└── ProducerError            publishing failed: exit code 1
    ├── FencedError          another producer has taken over this source
    ├── LedgerError          the ledger on Kafka can't be read
    └── PublishError         one transaction failed; its work is done again from the ledger

FileError                    one file has an outcome other than its chunks; never leaves this package
├── RejectedError            its content can't be published: a dead letter
├── ChangedError             it changed while it was read: it is read again
└── StoppedError             the process ends, or has a request to take up: it is read again another time
"""

from configs.errors import QAStreamError, SettingsError

__all__ = [
    "ChangedError",
    "FencedError",
    "FileError",
    "LedgerError",
    "ProducerError",
    "PublishError",
    "RejectedError",
    "SettingsError",
    "StoppedError",
]


class ProducerError(QAStreamError):
    """Publishing failed."""


class FencedError(ProducerError):
    """Another producer has taken over this source."""


class LedgerError(ProducerError):
    """The ledger on Kafka can't be read."""


class PublishError(ProducerError):
    """One transaction failed and nothing of it counts. `lasting`: trying again can't help."""

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class FileError(Exception):
    """One file has an outcome other than its chunks."""


class RejectedError(FileError):
    """The file's content can't be published; `kind` is the class of reasons it belongs to."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ChangedError(FileError):
    """The file changed while it was read."""


class StoppedError(FileError):
    """Reading has to stop."""
