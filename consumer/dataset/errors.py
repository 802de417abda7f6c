"""What can go wrong with what the sink wrote.

DatasetError
└── NothingThereError    the output directory has nothing to work on
"""

from configs.errors import QAStreamError


class DatasetError(QAStreamError):
    """The output directory can't be used as it is."""


class NothingThereError(DatasetError):
    """The output directory has nothing to work on."""
