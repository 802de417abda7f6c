"""The watcher over a real directory; Kafka is a ledger in memory, and as slow as the test says."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from configs.settings import load_settings
from ledger.account import Account
from ledger.entries import Ledger
from messaging.record import Record
from producer import watcher as watching
from producer.alarm import Alarm
from producer.app import make_parts
from producer.done import Done
from producer.errors import PublishError
from producer.files.directory import Directory
from producer.files.source import Found, Listing
from producer.publishing import batches
from producer.publishing.batches import Batch
from producer.publishing.on_disk import OnDisk
from producer.publishing.requests import Requests
from producer.watcher import Parts, PublishingTally, Watcher
from schemas import FileState, LedgerEntry, Request, TopicNames, encode
from schemas.ids import request_id
from schemas.messages import now
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


def request(entry: LedgerEntry) -> Record:
    id_ = request_id(entry.document.id, 1)
    asked = Request(request_id=id_, action="forget", document=entry.document, created_at=now())
    return Record(NAMES.requests, 0, 0, id_.encode(), encode(asked))


async def once(root: Path, before: Callable[[Batch], None]) -> PublishingTally:
    parts, tally = parts_of(root), PublishingTally()
    source = parts.publication.source
    await asyncio.wait_for(Watcher(parts, Kafka(source, before), tally, Requests(source, NAMES)).watch(), 30)
    return tally


async def test_time_spent_publishing_is_none_of_the_patience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a first look longer than the patience, a file that needed a moment more is still waited for."""
    spent_s = 0.0

    def spend(batch: Batch) -> None:
        nonlocal spent_s
        spent_s += 1.5 * watching.PATIENCE_S if batch.records else 0

    clock = SimpleNamespace(
        monotonic=lambda: time.monotonic() + spent_s, monotonic_ns=time.monotonic_ns, time_ns=time.time_ns
    )
    monkeypatch.setattr(watching, "time", clock)
    write(tmp_path / "a.txt")
    write(tmp_path / "b.txt", written_s=NEVER_STILL)
    tally = await once(tmp_path, spend)
    assert (tally.published, tally.troubled) == (2, {})


async def test_files_that_change_again_and_again_do_not_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One never stands still, another is published whenever it does: that is no progress, and the patience ends."""
    monkeypatch.setattr(watching, "PATIENCE_S", PATIENCE_S)
    busy, other, scan = tmp_path / "busy.log", tmp_path / "other.log", Directory.scan

    def growing(files: Directory) -> Listing:
        grow(busy, written_s=NEVER_STILL)
        return scan(files)

    write(other)
    monkeypatch.setattr(Directory, "scan", growing)
    tally = await once(tmp_path, lambda _: grow(other, written_s=LONG_AGO))
    assert tally.troubled == {"busy.log": "still being written"}
    assert tally.published > 1


async def test_a_request_does_not_wait_for_a_file_that_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a move that takes until the request is taken up, both are done."""
    root, taken_up, moved = tmp_path / "in", threading.Event(), []
    root.mkdir()
    parts = parts_of(root)
    account = Account(parts.publication.source)
    on_disk = OnDisk(tmp_path / "out", cluster_id="c", namespace="n")
    done = Done("move", files=parts.files, folder=tmp_path / "done", account=account, on_disk=on_disk)
    kafka = Kafka(parts.publication.source, lambda batch: taken_up.set() if is_end_of_request(batch) else None)
    requests = Requests(parts.publication.source, NAMES, ring=parts.alarm.call)
    watcher = Watcher(replace(parts, account=account, done=done), kafka, PublishingTally(), requests)
    loop = asyncio.get_running_loop()

    def move(_: Directory, found: Found, __: Path) -> None:
        (root / found.path).unlink()
        entry = kafka.ledger.entry("z.bin")
        assert entry
        loop.call_soon_threadsafe(requests.take, request(entry))
        moved.append((found.path, taken_up.wait(10)))

    monkeypatch.setattr(Directory, "move", move)
    (root / "a.txt").touch()  # without chunks there is no outcome to wait for
    (root / "z.bin").write_bytes(b"\0")
    for path in root.iterdir():
        os.utime(path, (LONG_AGO, LONG_AGO))
    await asyncio.wait_for(watcher.watch(), 30)
    assert moved == [("a.txt", True)]
    assert kafka.ledger.state("z.bin") is FileState.FORGOTTEN


def is_end_of_request(batch: Batch) -> bool:
    return any(record.topic == NAMES.requests for record in batch.records)


async def test_what_a_request_has_cut_short_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is left of the patience: files that no look has come to are not still being written."""
    monkeypatch.setattr(watching, "PATIENCE_S", 0)
    monkeypatch.setattr(batches, "MAX_SECONDS", 0)  # each file is a batch
    for name in "abcd":
        write(tmp_path / name)
    parts, tally = parts_of(tmp_path, settle_ms=0), PublishingTally()
    requests = Requests(parts.publication.source, NAMES)

    def ask(batch: Batch) -> None:
        if batch.entries.keys() == {"a"} and kafka.ledger.entry("a") is None:
            requests.take(request(batch.entries["a"][0]))

    kafka = Kafka(parts.publication.source, ask)
    await asyncio.wait_for(Watcher(parts, kafka, tally, requests).watch(), 30)
    assert {name: kafka.ledger.state(name) for name in "abcd"} == {
        "a": FileState.FORGOTTEN,
        **dict.fromkeys("bcd", FileState.COMPLETE),
    }


async def test_what_failed_to_be_published_is_counted_once(tmp_path: Path) -> None:
    write(tmp_path / "a.txt")
    parts, tally, failed = parts_of(tmp_path), PublishingTally(), []

    def fail_once(batch: Batch) -> None:
        if batch.entries and not failed:
            failed.append(batch)
            raise PublishError("a transaction failed")

    kafka, requests = Kafka(parts.publication.source, fail_once), Requests(parts.publication.source, NAMES)
    with pytest.raises(PublishError):
        await asyncio.wait_for(Watcher(parts, kafka, tally, requests).watch(), 30)
    await asyncio.wait_for(Watcher(parts, kafka, tally, requests).watch(), 30)
    assert failed
    assert (tally.published, tally.chunks) == (1, 1)


async def test_an_end_while_a_batch_is_made_waits_for_it() -> None:
    making, made = threading.Event(), threading.Event()

    def batches() -> Generator[Batch, None, None]:
        making.set()
        assert made.wait(30)
        yield Batch()

    async def go() -> None:
        async with aclosing(watching._ahead(batches())) as coming:
            async for _ in coming:
                raise AssertionError

    going = asyncio.create_task(go())
    await asyncio.to_thread(making.wait, 30)
    going.cancel()
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.1, made.set)
    with pytest.raises(asyncio.CancelledError):
        await going
