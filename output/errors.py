"""What can go wrong between qa.results and the disk.

SinkError                  the sink, or a reader of its output, stops; the message says what to do
├── OutputError            the output directory can't be used
│   ├── OutputLockedError  another sink writes to it
│   └── OutputMismatchError  it belongs to another cluster or namespace
├── SegmentsError          the files in results/ contradict one another
└── ContinuityError        the topic does not continue where the segments end
IndexDamagedError          the index is not what the segments say; it is built again
StartOverError             a new Kafka client is needed
"""

from configs.errors import QAStreamError


class SinkError(QAStreamError):
    """The sink can't go on."""


class OutputError(SinkError):
    """The output directory can't be used."""


class OutputLockedError(OutputError):
    """Another sink writes to the output directory, or to these partitions of it."""


class OutputMismatchError(OutputError):
    """The output directory belongs to another cluster or namespace."""

    exit_code = 2


class SegmentsError(SinkError):
    """The segment files contradict one another."""


class ContinuityError(SinkError):
    """The topic does not continue where the segments end."""


class IndexDamagedError(Exception):
    """The index can't be read, or is not what the segments say: build it again from them."""


class StartOverError(Exception):
    """A new Kafka client is needed; the message says why."""
