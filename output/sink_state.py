"""`.qastream/sink.json`: how far the sink is, for those who wait for it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

import orjson

from output.durable import write_whole
from output.index.rows import Totals
from output.layout import Layout
from schemas.messages import now

INTERVAL_S = 1.0


class StatusFile:
    """Written when something has changed: at most once a second, but at once when asked."""

    def __init__(self, layout: Layout, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._layout = layout
        self._clock = clock
        self._content: dict[str, object] = {}
        self._written = -INTERVAL_S

    def update(
        self, totals: Totals, next_offsets: Mapping[int, int], ledger_offsets: Mapping[int, int], *, at_once: bool
    ) -> None:
        """Offsets by partition: the next of qa.results to go to disk, the next of qa.files to be read."""
        if not at_once and self._clock() - self._written < INTERVAL_S:
            return
        content = asdict(totals) | {
            "next_offsets": {str(partition): offset for partition, offset in sorted(next_offsets.items())},
            "ledger_offsets": {str(partition): offset for partition, offset in sorted(ledger_offsets.items())},
        }
        if content != self._content:
            write_whole(self._layout.status, orjson.dumps(content | {"updated_at": now()}) + b"\n")
            self._content, self._written = content, self._clock()
