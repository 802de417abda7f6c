"""Why offsets are not restored.

RebuildError
├── WorkersRunningError    somebody works on the partitions
├── OutcomesError          the results don't tell what is done
└── TooScatteredError      what is done can't be written down as a committed point
"""

from configs.errors import QAStreamError


class RebuildError(QAStreamError):
    """Offsets can't be restored; none was changed unless the message says so."""


class WorkersRunningError(RebuildError):
    """Workers are in the group, or came into it."""


class OutcomesError(RebuildError):
    """The results are incomplete, or belong to other chunks."""


class TooScatteredError(RebuildError):
    """More is unfinished below the last finished record than commit metadata can hold."""
