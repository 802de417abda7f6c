"""Errors of this package.

QAStreamError
├── SettingsError           wrong usage: exit code 2
└── PipelineError           something failed: exit code 1
    ├── ChildDiedError      a process ended that should not have
    ├── OutputError         the output directory can't be used
    └── StoppedError        a signal ended the run early: exit code 128 + its number
"""

import signal

from configs.errors import QAStreamError


class PipelineError(QAStreamError):
    """The pipeline on this machine failed."""


class ChildDiedError(PipelineError):
    """A process ended that should not have."""


class OutputError(PipelineError):
    """The output directory can't be used."""


class StoppedError(PipelineError):
    """A signal ended the run early."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.exit_code = 128 + number
