"""Writes and reads `sink.json`, which says how far a sink is. Each sink of some partitions has its own file."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from output.durable import write_whole
from output.index.rows import IndexTotals
from output.layout import Layout
from schemas.messages import now

INTERVAL_S = 1.0
Offsets = Mapping[int, int]


class SinkState(BaseModel):
    """A sink has written the results before `next_offsets` to disk and read the ledger up to `ledger_offsets`.

    `waiting` counts documents that the ledger promises and that are not written yet.
    """

    model_config = ConfigDict(frozen=True)

    next_offsets: Offsets = {}
    ledger_offsets: Offsets = {}
    waiting: int = 0

    def has_written(self, *, results: Offsets, ledger: Offsets) -> bool:
        """Tells whether everything up to these offsets of the two topics is on disk, documents included."""
        return _covers(self.next_offsets, results) and _covers(self.ledger_offsets, ledger) and self.waiting == 0


def read_sink_state(layout: Layout) -> SinkState:
    """Returns the state of the layout's sink; without a readable file, a state in which nothing is on disk."""
    try:
        return SinkState.model_validate_json(layout.sink_state.read_bytes())
    except (OSError, ValidationError):
        return SinkState()


def next_offsets_on_disk(layout: Layout) -> dict[int, int]:
    """Returns the offsets before which every result is on disk, by partition, over all sinks that wrote here."""
    following: dict[int, int] = {}
    for sink in layout.sinks():
        for partition, offset in read_sink_state(sink).next_offsets.items():
            following[partition] = max(offset, following.get(partition, 0))  # records on disk stay there
    return following


class SinkStateFile:
    """Writes `sink.json` when something has changed: at most once a second, or at once when asked."""

    def __init__(self, layout: Layout, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._layout = layout
        self._clock = clock
        self._content: dict[str, object] = {}
        self._written = -INTERVAL_S

    def update(self, totals: IndexTotals, *, next_offsets: Offsets, ledger_offsets: Offsets, at_once: bool) -> None:
        """Writes the state, unless it is the same or was written less than a second ago. Raises OSError."""
        if not at_once and self._clock() - self._written < INTERVAL_S:
            return
        content = asdict(totals) | {
            "next_offsets": {str(partition): offset for partition, offset in sorted(next_offsets.items())},
            "ledger_offsets": {str(partition): offset for partition, offset in sorted(ledger_offsets.items())},
        }
        if content != self._content:
            write_whole(self._layout.sink_state, orjson.dumps(content | {"updated_at": now()}) + b"\n")
            self._content, self._written = content, self._clock()


def _covers(written: Offsets, read: Offsets) -> bool:
    return all(written.get(partition, 0) >= offset for partition, offset in read.items())
