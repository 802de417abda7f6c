"""Reasons why offsets are not restored.

RebuildError
├── WorkersRunningError    workers have the partitions
├── OutcomesError          the results don't tell what is done
└── TooScatteredError      the unfinished records don't fit into a committed point
"""

from configs.errors import QAStreamError


class RebuildError(QAStreamError):
    """Offsets can't be restored; none was changed unless the message says so."""


class WorkersRunningError(RebuildError):
    """Workers are members of the group, or joined it meanwhile."""


class OutcomesError(RebuildError):
    """The results are incomplete, or belong to other chunks."""


class TooScatteredError(RebuildError):
    """More records are unfinished below the last finished one than commit metadata can list."""
