"""The watcher over a real directory; Kafka is a ledger in memory, and as slow as the test says."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from configs.settings import load_settings
from producer import watcher as watching
from producer.app import make_parts
from producer.batches import Batch
from producer.ledger import Ledger
from producer.requests import Requests
from producer.tree import Listing, Tree
from producer.watch import Alarm
from producer.watcher import Parts, Tally, Watcher
from schemas import TopicNames
from telemetry.metrics import ProducerMetrics
from telemetry.telemetry import unseen

NAMES = TopicNames("qa")
PATIENCE_S = 0.4
LONG_AGO, NEVER_STILL = 1e9, 4e9
"""Times of writing, in seconds: one in the future is not believed, so that the file has to be looked at twice."""


class Kafka:
    """What a Publisher is to the watcher; `before` is done before each commit."""

    def __init__(self, source: str, before: Callable[[Batch], None] = lambda _: None) -> None:
        self.ledger = Ledger(source)
        self._before = before

    async def publish(self, batch: Batch) -> None:
        self._before(batch)
        await asyncio.sleep(0)
        for entry, value in batch.entries.values():
            self.ledger.put(entry, value)


def parts_of(root: Path, **settings: object) -> Parts:
    given = {"input_dir": root, "settle_ms": 10} | settings
    return make_parts(load_settings(given), Alarm(), unseen(ProducerMetrics), once=True)


def write(path: Path, *, written_s: float = LONG_AGO) -> None:
    path.write_text(f"text of {path.name}")
    os.utime(path, (written_s, written_s))


def grow(path: Path, *, written_s: float) -> None:
    with path.open("a") as file:
        file.write("more. ")
    os.utime(path, (written_s, written_s))


async def once(root: Path, before: Callable[[Batch], None]) -> Tally:
    parts, tally = parts_of(root), Tally()
    source = parts.publication.source
    await asyncio.wait_for(Watcher(parts, Kafka(source, before), tally, Requests(source, NAMES)).watch(), 30)
    return tally


async def test_time_spent_publishing_is_none_of_the_patience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a first look longer than the patience, a file that needed a moment more is still waited for."""
    monkeypatch.setattr(watching, "PATIENCE_S", PATIENCE_S)
    write(tmp_path / "a.txt")
    write(tmp_path / "b.txt", written_s=NEVER_STILL)
    tally = await once(tmp_path, lambda batch: time.sleep(PATIENCE_S * 1.5 if batch.records else 0))
    assert (tally.published, tally.troubled) == (2, {})


async def test_files_that_change_again_and_again_do_not_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One never stands still, another is published whenever it does: that is no progress, and the patience ends."""
    monkeypatch.setattr(watching, "PATIENCE_S", PATIENCE_S)
    busy, other, scan = tmp_path / "busy.log", tmp_path / "other.log", Tree.scan

    def growing(tree: Tree) -> Listing:
        grow(busy, written_s=NEVER_STILL)
        return scan(tree)

    write(other)
    monkeypatch.setattr(Tree, "scan", growing)
    tally = await once(tmp_path, lambda _: grow(other, written_s=LONG_AGO))
    assert tally.troubled == {"busy.log": "still being written"}
    assert tally.published > 1
