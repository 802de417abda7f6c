"""Errors of this package.

QAStreamError
├── SettingsError            wrong usage: exit code 2
└── ProducerError            publishing failed: exit code 1
    ├── FencedError          another producer has taken over this source
    └── PublishError         one transaction failed; its work is done again from the ledger

FileError                    a file can't be published to its end now; never leaves this package
├── RejectedError            its content can't be published: it goes to the dead letters
├── ChangedError             it changed while it was read: it is read again
└── ReadingStoppedError      the process ends, or has a request to take up: it is read again later
"""

from configs.errors import QAStreamError


class ProducerError(QAStreamError):
    """Publishing failed."""


class FencedError(ProducerError):
    """Another producer has taken over this source."""


class PublishError(ProducerError):
    """A transaction failed, and nothing of it counts. `lasting`: trying again can't help."""

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class FileError(Exception):
    """A file can't be published to its end now."""


class RejectedError(FileError):
    """The file's content can't be published; `kind` is the error class of its dead letter."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ChangedError(FileError):
    """The file changed while it was read."""


class ReadingStoppedError(FileError):
    """Reading has to stop: the process ends, or has a request to take up."""
