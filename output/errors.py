"""Errors of the output directory.

OutputError              the output directory can't be used; the message says what to do
├── OutputLockedError    another process writes to it
├── OutputMismatchError  it belongs to another cluster or namespace
└── SegmentsError        the files in results/ contradict one another
IndexDamagedError        the index differs from the segments; it is built again
"""

from configs.errors import QAStreamError


class OutputError(QAStreamError):
    """The output directory can't be used."""


class OutputLockedError(OutputError):
    """Another process writes to the output directory, or to the same partitions of it."""


class OutputMismatchError(OutputError):
    """The output directory belongs to another cluster or namespace."""

    exit_code = 2


class SegmentsError(OutputError):
    """The segment files contradict one another."""


class IndexDamagedError(Exception):
    """The index can't be read or differs from the segments; it has to be built again from them."""
