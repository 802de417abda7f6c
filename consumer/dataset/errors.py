"""Errors of the commands that read an output directory.

DatasetError             the output directory can't be used as it is
└── NothingThereError    no sink has written to it
"""

from configs.errors import QAStreamError


class DatasetError(QAStreamError):
    """The output directory can't be used as it is."""


class NothingThereError(DatasetError):
    """No sink has written to the output directory."""
