"""Looks at the directory, publishes what is new, pauses, and looks again."""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from configs.sections import KafkaSettings, ProducerSettings
from ledger import transitions
from ledger.account import Account
from producer.alarm import Alarm
from producer.done import Done
from producer.files.settle import Settling
from producer.files.source import Found, Listing, Source
from producer.observing import Observer
from producer.publishing.batches import Batch, Batches, of_entries
from producer.publishing.publication import Publication
from producer.publishing.requests import Requests
from producer.publishing.transactions import Publisher
from schemas import FileState, LedgerEntry, TopicNames

PATIENCE_S = 30.0
"""`--once` waits this long, in seconds, or twenty times the time to settle, for files that are still being written.

The time starts again whenever a look leaves fewer files undone than every look before. A file that keeps changing does
not restart it.
"""
ROOM_S = 0.2
REQUESTS_S = 1.0
DONE_S = 0.3
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class PublishingTally:
    """The work of a run. `troubled` has the reason for each path that is not published; `told` has past warnings."""

    files: int = 0
    published: int = 0
    rejected: int = 0
    chunks: int = 0
    troubled: dict[str, str] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)

    @property
    def unchanged(self) -> int:
        return max(0, self.files - self.published - self.rejected - len(self.troubled))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a watcher, which outlive its Kafka producer. `only`: with `once`, the paths to publish."""

    kafka: KafkaSettings
    options: ProducerSettings
    files: Source
    names: TopicNames
    publication: Publication
    alarm: Alarm
    once: bool
    only: frozenset[str] | None = None
    account: Account | None = None
    done: Done | None = None
    output_dir: Path | None = None
    observed: bool = False
    observer: Observer


class Watcher:
    """Looks, publishes and pauses, with one Kafka producer; `tally` goes on with the next one."""

    def __init__(self, parts: Parts, publisher: Publisher, tally: PublishingTally, requests: Requests) -> None:
        self._parts = parts
        self._publisher = publisher
        self._ledger = publisher.ledger
        self._tally = tally
        self._requests = requests
        self._settling = Settling(parts.options.settle_ms, trust_mtime=parts.once)
        self._first = parts.only  # with --once: what was there at the first look
        # A request waits until a block is read, not until a file of gigabytes is.
        self._publication = replace(parts.publication, stopping=lambda: self._interrupted)
        self._asked = False  # a request has changed an entry since the look began
        self._cut_short = False  # the last look left files out
        self._fewest = sys.maxsize  # files that a look left undone
        self._waiting_since = 0.0

    async def watch(self) -> None:
        """Runs until stopped; with --once until every file of the first look is published, or in trouble."""
        while True:
            began = time.monotonic()
            listing = await self._in_thread(self._parts.files.scan)
            took_s = time.monotonic() - began
            due_s = await self._look(listing)
            self._count_undone()
            if self._parts.alarm.stopping or (self._parts.once and self._finished(due_s)):
                return
            most_s = min(self._interval_s, due_s or float("inf"))
            await self._parts.alarm.pause(most_s, least_s=min(most_s, max(0.05, 2 * took_s)))

    @property
    def _interval_s(self) -> float:
        """The seconds between looks. With --once only files that wait for something need another look."""
        interval_s = self._parts.options.scan_interval_s
        return min(DONE_S, interval_s) if self._parts.once else interval_s

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Runs `work` in a thread, and takes requests up meanwhile."""
        working = asyncio.create_task(asyncio.to_thread(work))
        try:
            while not (await asyncio.wait((working,), timeout=REQUESTS_S))[0]:
                await self._take_requests()
        finally:
            await asyncio.wait((working,))
        return working.result()

    async def _take_requests(self) -> None:
        """Takes the requests up. Call it between publications: batches that are already made have older entries."""
        for batch in self._requests.batches(self._ledger):
            await self._commit(batch)
            self._asked = self._asked or bool(batch.entries)

    async def _look(self, listing: Listing) -> float | None:
        """Publishes the settled files. Returns the seconds until another look is due for the others, or None."""
        await self._take_requests()
        self._asked = False
        files = self._of_this_run(listing.files)
        unreadable = {found.path: why for found in files if (why := self._ledger.unreadable(found.path))}
        todo = [
            found
            for found in files
            if not self._ledger.done(found, self._publication.rules) and found.path not in unreadable
        ]
        look = self._settling.look(todo, clock_ns=time.monotonic_ns(), wall_ns=time.time_ns())
        self._tally.files = len(files)
        self._tally.troubled = {found.path: "still being written" for found in look.waiting}
        self._tell(listing.skipped, "left out: %s is %s")
        self._trouble(listing.problems)
        self._tell(unreadable, "left alone: %s: %s")
        self._tally.troubled |= unreadable
        self._parts.observer.looked(files=len(files), waiting=len(self._tally.troubled))
        changed = await self._publish(look.settled)
        put_away = await self._put_away(files)
        for batch in of_entries(self._vanished({found.path for found in listing.files} - put_away), self._parts.names):
            await self._commit(batch)
        self._tally.rejected = sum(self._ledger.state(found.path) is FileState.REJECTED for found in files)
        await self._take_requests()
        return 0.1 if changed or self._asked else look.due_s

    def _of_this_run(self, files: Sequence[Found]) -> Sequence[Found]:
        """Returns all files; with --once only those of the first look, or the run might never end."""
        if not self._parts.once:
            return files
        self._first = self._first or frozenset(found.path for found in files)
        return [found for found in files if found.path in self._first]

    def _count_undone(self) -> None:
        undone = len(self._tally.troubled)
        if undone < self._fewest and not self._cut_short:
            self._fewest, self._waiting_since = undone, time.monotonic()

    def _finished(self, due_s: float | None) -> bool:
        patience_s = max(PATIENCE_S, self._parts.options.settle_ms / 50)
        if self._cut_short or (self._parts.done and self._parts.done.waiting):
            return False
        return due_s is None or time.monotonic() - self._waiting_since > patience_s

    async def _publish(self, files: Sequence[Found]) -> bool:
        """Publishes `files`. Tells whether another look is due soon, because a file changed or some were left out."""
        changed: dict[str, str] = {}
        published, chunks = self._tally.published, self._tally.chunks
        batches = Batches(self._publication, self._ledger, self._parts.names).of(files)
        async with aclosing(_ahead(batches)) as coming:
            async for batch in coming:
                await self._wait_for_room(batch)
                published_now, rejected = self._news(batch)
                await self._commit(batch)
                self._count(batch, published_now, rejected)
                changed |= batch.changed
                self._trouble(batch.unreadable)
                if self._interrupted:
                    break
        self._cut_short = self._interrupted
        self._tally.troubled |= changed
        if self._tally.published > published:
            new_files, new_chunks = self._tally.published - published, self._tally.chunks - chunks
            log.info("published %d files, %d chunks", new_files, new_chunks)
        return bool(changed) or self._cut_short

    @property
    def _interrupted(self) -> bool:
        return self._parts.alarm.stopping or self._requests.unseen

    async def _commit(self, batch: Batch) -> None:
        with self._parts.observer.transaction(batch):
            await self._publisher.publish(batch)
        if self._parts.account:
            for entry, _ in batch.entries.values():
                self._parts.account.take_entry(entry)

    async def _wait_for_room(self, batch: Batch) -> None:
        """Waits before a batch with chunks while more than --max-backlog published chunks have no outcome."""
        account, most, alarm = self._parts.account, self._parts.options.max_backlog, self._parts.alarm
        if not (account and most and batch.chunks and account.totals.backlog > most):
            return
        log.info("publishing pauses: %d chunks have no outcome yet (--max-backlog %d)", account.totals.backlog, most)
        while account.totals.backlog > most and not self._interrupted:
            await alarm.pause(ROOM_S, least_s=ROOM_S)
        alarm.ring()  # the pauses may have used up a ring that asks for a look

    async def _put_away(self, files: Sequence[Found]) -> set[str]:
        """Moves or deletes files whose outcomes are all on disk, as --on-done says. Returns the paths that went."""
        done = self._parts.done
        if done is None:
            return set()
        ledger, rules = self._ledger, self._publication.rules
        ready = done.look(files, ledger, rules)
        problems = await self._in_thread(lambda: done.act(ready, ledger, rules))
        self._tell(problems, "%s: %s; it is tried again")
        self._tally.troubled |= problems
        return done.put_away

    def _news(self, batch: Batch) -> tuple[list[LedgerEntry], list[LedgerEntry]]:
        """Returns the entries that the batch completes and rejects. Call it before the ledger has the batch."""
        published, rejected = [], []
        for path, (entry, _) in batch.entries.items():
            before = self._ledger.entry(path)
            if entry.complete != (before.complete if before else None):
                published.append(entry)
            if entry.state is FileState.REJECTED and (
                before is None or before.document.version < entry.document.version
            ):
                rejected.append(entry)
        return published, rejected

    def _count(self, batch: Batch, published: list[LedgerEntry], rejected: list[LedgerEntry]) -> None:
        """Counts a batch. Call it once the batch is committed, since a failed batch is made again."""
        self._tally.chunks += batch.chunks
        self._tally.published += len(published)
        self._parts.observer.published(len(published))
        for entry in published:
            log.debug("published %s, version %d", entry.document.path, entry.document.version)
        for entry in rejected:
            log.warning("rejected %s: %s", entry.document.path, entry.reason)

    def _vanished(self, present: set[str]) -> Iterator[LedgerEntry]:
        """Yields the entries of files that are gone. Files that are excluded or can't be seen now are not gone."""
        for path in list(self._ledger.absent(present)):
            entry = self._ledger.entry(path)
            if entry and self._parts.files.gone(path):
                log.info("%s is gone; its results stay", path)
                yield transitions.vanish(entry)

    def _trouble(self, problems: dict[str, str]) -> None:
        self._tell(problems, "cannot read %s: %s; it is tried again")
        self._tally.troubled |= problems

    def _tell(self, reasons: dict[str, str], message: str) -> None:
        """Warns of each path and reason once."""
        for path, why in reasons.items():
            if (path, why) not in self._tally.told:
                self._tally.told.add((path, why))
                log.warning(message, path, why)


async def _ahead(batches: Generator[Batch, None, None]) -> AsyncGenerator[Batch, None]:
    """Yields the batches. A thread makes each of them while the one before is published."""
    coming = asyncio.create_task(asyncio.to_thread(next, batches, None))
    try:
        while (batch := await asyncio.shield(coming)) is not None:  # a thread can't be cancelled
            coming = asyncio.create_task(asyncio.to_thread(next, batches, None))
            yield batch
    finally:
        await asyncio.wait((coming,))
        batches.close()
