"""The error of a replay."""

from configs.errors import QAStreamError


class ReplayError(QAStreamError):
    """Dead letters could not be replayed; none is half replayed."""
