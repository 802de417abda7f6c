"""One tenure of one partition: from its assignment to its loss, with one transactional producer at a time.

Order on assignment: start the producer, which fences the partition's former owner and settles its transaction; then
read the committed point, which was not true before; then seek. Any other order lost or doubled records in trials.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from configs.errors import QAStreamError
from configs.failpoints import hit
from consumer.worker.group.offsets import OffsetTracker
from consumer.worker.outcome import Outcome
from messaging.access import AUTHORIZATION
from messaging.commit_point import CommitPoint
from messaging.connection import PRODUCER_FAILED, abandon, discard, in_words

FENCED_WAIT_S = 2.0
"""A fenced producer is a zombie's, or its transaction timed out. A zombie is revoked by its heartbeat meanwhile."""
RETRY_S = 0.3
MOST_OUTCOMES = 500
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TenureOptions:
    """`make_producer` makes the partition's producer; `starting_point` finds where to start; both may be retried.

    `refused` makes the error that ends the worker of one by which Kafka denies it something. `committed` is told of
    each transaction with its seconds, `failed` of each that is to be repeated.
    """

    group: str
    flush_s: float
    make_producer: Callable[[TopicPartition], AIOKafkaProducer]
    starting_point: Callable[[TopicPartition, AIOKafkaProducer], Coroutine[Any, Any, CommitPoint]]
    resume_at: Callable[[TopicPartition, int], None]
    refused: Callable[[KafkaError], QAStreamError]
    committed: Callable[[list[Outcome], float], None] = lambda _, __: None
    failed: Callable[[], None] = lambda: None


class Tenure:
    """Collects outcomes and commits them with their offsets. Dead after `end()`: what finishes later is dropped."""

    def __init__(self, tp: TopicPartition, options: TenureOptions, pause: Callable[[TopicPartition], None]) -> None:
        self.tp = tp
        self._options = options
        self._pause = pause
        self._producer: AIOKafkaProducer | None = None
        self._tracker: OffsetTracker | None = None
        self._finished: list[Outcome] = []
        self._work: set[asyncio.Task[None]] = set()
        self._running = 0
        self._alive = True
        self._flushing = asyncio.Lock()
        self._committing: asyncio.Future[None] | None = None
        self._due = asyncio.Event()

    @property
    def room(self) -> int:
        """Records that may be taken in at once."""
        return self._tracker.room if self._alive and self._tracker is not None else 0

    @property
    def position(self) -> int | None:
        """Offset from which records are to be taken in, once that is known."""
        return self._tracker.position if self._alive and self._tracker is not None else None

    @property
    def open(self) -> int:
        """Records taken in whose outcome is not committed."""
        return self._tracker.open if self._tracker is not None else 0

    def deliver(self, offset: int) -> OffsetTracker | None:
        """The tracker to finish the record with, or None if it is done already."""
        if self._tracker is None or not self._tracker.deliver(offset):
            return None
        self._running += 1
        return self._tracker

    def own(self, work: asyncio.Task[None]) -> None:
        """Work on a record that was taken in: it goes on as long as its outcome may be committed here.

        Another owner goes through the record's stages anew. The calls under way go on, for the cache; from those that
        would follow, each would be paid for by both.
        """
        self._work.add(work)
        work.add_done_callback(self._work.discard)

    def finish(self, tracker: OffsetTracker, outcome: Outcome) -> None:
        """Take an outcome; dropped when the record was delivered before the producer was last replaced."""
        if not self._alive or tracker is not self._tracker:
            return
        self._running -= 1
        self._finished.append(outcome)
        if self._running == 0 or len(self._finished) >= MOST_OUTCOMES:
            self._due.set()

    async def run(self) -> None:
        """Activate, flush until the tenure ends; start over with a new producer after any error."""
        while self._alive:
            if await self._activate():
                fenced = await self._flush_until_broken()
                await self._restart(fenced=fenced)

    async def end(self) -> None:
        """Stop intake, commit what is finished, part from the producer. Cancel the task of `run` before."""
        self._alive = False
        self._drop_work()
        self._due.set()
        hit("worker.end.begun")
        async with self._flushing:
            await self._flush()
        hit("worker.end.flushed")
        producer, self._producer = self._producer, None
        if producer is not None:
            await discard(producer)

    async def cut(self) -> None:
        """For a broker that is away: give up on what is being committed; the next owner settles the transaction."""
        if self._producer is not None:
            await abandon(self._producer)
        if self._committing is not None:
            self._committing.cancel()

    def _drop_work(self) -> None:
        for work in self._work:
            work.cancel()

    async def _activate(self) -> bool:
        producer = self._options.make_producer(self.tp)
        try:
            hit("worker.takeover.begun")
            await producer.start()
            hit("worker.takeover.fenced")
            point = await self._options.starting_point(self.tp, producer)
            hit("worker.takeover.found")
            tracker = OffsetTracker(point)
        except (asyncio.CancelledError, QAStreamError):
            await discard(producer)
            raise
        except AUTHORIZATION as exc:
            await discard(producer)
            raise self._options.refused(exc) from exc
        except (*PRODUCER_FAILED, OSError) as exc:
            log.info("partition %d can not be taken over yet: %r", self.tp.partition, exc)
            await discard(producer)
            await asyncio.sleep(RETRY_S)
            return False
        if not self._alive:
            await discard(producer)
            return False
        self._producer, self._tracker, self._running = producer, tracker, 0
        self._options.resume_at(self.tp, point.offset)
        hit("worker.takeover.resumed")
        log.debug("partition %d taken over at offset %d", self.tp.partition, point.offset)
        return True

    async def _flush_until_broken(self) -> bool:
        """Flush at once when nothing is running, else when `flush_s` is over or enough has gathered. True if fenced."""
        while self._alive:
            await self._wait_until_due()
            async with self._flushing:
                if not self._alive:
                    break
                error = await self._flush()
            if isinstance(error, AUTHORIZATION):
                raise self._options.refused(error) from error
            if error is not None:
                return isinstance(error, ProducerFenced)
        return False

    async def _wait_until_due(self) -> None:
        try:
            async with asyncio.timeout(self._options.flush_s):
                await self._due.wait()
        except TimeoutError:
            pass
        self._due.clear()

    async def _flush(self) -> BaseException | None:
        """Commit what is finished. Cancelled, it still waits for the commit, which would go on behind our back."""
        if not self._finished or self._producer is None or self._tracker is None:
            return None
        batch, self._finished = self._finished, []
        began = time.monotonic()
        commit = self._committing = asyncio.ensure_future(self._commit(self._producer, self._tracker, batch))
        cancelled = False
        while not commit.done():
            try:
                await asyncio.shield(commit)
            except asyncio.CancelledError:
                cancelled = True
            except Exception:  # noqa: BLE001, S110 - read from the future below
                pass
        self._tell(commit, batch, time.monotonic() - began)
        if cancelled:
            raise asyncio.CancelledError
        error = commit.exception()
        if error is not None:
            log.warning("partition %d: a transaction failed and is repeated: %s", self.tp.partition, in_words(error))
        return error

    def _tell(self, commit: asyncio.Future[None], batch: list[Outcome], seconds: float) -> None:
        if commit.cancelled() or commit.exception() is not None:
            self._options.failed()
        else:
            self._options.committed(batch, seconds)

    async def _commit(self, producer: AIOKafkaProducer, tracker: OffsetTracker, batch: list[Outcome]) -> None:
        """One transaction: records, then offsets. Every send is awaited: a failed one does not fail the commit."""
        finished = {outcome.offset for outcome in batch}
        await producer.begin_transaction()
        hit("worker.flush.begun")
        sends = [
            await producer.send(r.topic, r.value, key=r.key, headers=list(r.headers) or None)
            for outcome in batch
            for r in outcome.records
        ]
        for sent in await asyncio.gather(*sends, return_exceptions=True):
            if isinstance(sent, BaseException):
                raise sent
        hit("worker.flush.sent")
        point = tracker.point(finished)
        offsets = {self.tp: OffsetAndMetadata(point.offset, point.metadata)}
        await producer.send_offsets_to_transaction(offsets, self._options.group)
        hit("worker.flush.offsets")
        await producer.commit_transaction()
        hit("worker.flush.committed")
        tracker.commit(finished)

    async def _restart(self, *, fenced: bool) -> None:
        """After any error the producer's state is unknown: a new one, the committed point again, a new tracker."""
        if not self._alive:
            return
        self._pause(self.tp)
        self._drop_work()
        self._tracker, self._finished = None, []
        producer, self._producer = self._producer, None
        if producer is not None:
            await discard(producer)
        if fenced:
            await asyncio.sleep(FENCED_WAIT_S)
