"""Errors of the sink.

QAStreamError
└── ContinuityError    the topic does not continue where the segments end
StartOverError         a new Kafka client is needed; never leaves the sink
"""

from configs.errors import QAStreamError


class ContinuityError(QAStreamError):
    """The topic does not continue where the segments end."""


class StartOverError(Exception):
    """A new Kafka client is needed; the message says why."""
