"""Errors of this package.

QAStreamError
└── PipelineError           something failed: exit code 1
    └── ChildDiedError      a process ended that should not have
"""

from configs.errors import QAStreamError


class PipelineError(QAStreamError):
    """The pipeline on this machine failed."""


class ChildDiedError(PipelineError):
    """A process ended that should not have."""
