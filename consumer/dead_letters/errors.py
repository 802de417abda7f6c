"""What can go wrong with dead letters."""

from configs.errors import QAStreamError


class ReplayError(QAStreamError):
    """Letters could not be replayed; none is half replayed."""
