"""The error of this package, with exit code 1."""

from configs.errors import QAStreamError


class PipelineError(QAStreamError):
    """The pipeline on this machine failed, or one of its processes ended that should not have."""
