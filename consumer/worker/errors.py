"""Errors that end a worker. `inference.errors` has those of one call to a model.

WorkerError                the worker stops; the message says what to do
└── OffsetsLostError       the committed offset of a partition is missing, out of range or not ours
"""

from configs.errors import QAStreamError


class WorkerError(QAStreamError):
    """The worker can't go on."""


class OffsetsLostError(WorkerError):
    """The consumer group's offset of a partition is missing, out of range or not ours."""
