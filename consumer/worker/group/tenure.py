"""One tenure of one partition: from its assignment to its loss, with one transactional producer at a time.

The order on assignment: start the producer, which fences the partition's former owner and settles its transaction;
then read the committed point, which could still change before the fencing; then seek. In trials every other order
lost or doubled records.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerFenced

from configs.errors import QAStreamError
from configs.failpoints import hit
from consumer.worker.group.client import GroupClient
from consumer.worker.group.handler import Handler
from consumer.worker.group.observing import ObservedTransactions
from consumer.worker.group.offsets import OffsetTracker
from consumer.worker.group.tasks import MemberTasks
from consumer.worker.group.transactions import TooLargeError, commit_outcomes
from consumer.worker.outcome import Outcome
from messaging.access import AUTHORIZATION, from_refusal
from messaging.connection import PRODUCER_FAILED, abandon, discard, in_words
from messaging.record import Record
from schemas.topics import MAX_MESSAGE_BYTES

FENCED_WAIT_S = 2.0
"""Pause after a producer was fenced. Either this member is a zombie, which its heartbeat finds out meanwhile, or its
transaction timed out, and then it goes on."""
RETRY_S = 0.3
REFUSED_WAIT_S = 2.0
"""Pause after a topic refused a record that can't be made smaller. Only a change of the topic helps."""
MOST_OUTCOMES = 500
"""Number of finished outcomes that are committed at once, without waiting for `flush_s`."""
log = logging.getLogger(__name__)


class Tenure:
    """Has the partition's records handled, and commits their outcomes with their offsets.

    After `end` has begun, outcomes that finish later are dropped.
    """

    def __init__(
        self,
        tp: TopicPartition,
        client: GroupClient,
        handler: Handler,
        transactions: ObservedTransactions,
        tasks: MemberTasks,
        *,
        flush_s: float,
    ) -> None:
        self.tp = tp
        self._client = client
        self._handler = handler
        self._transactions = transactions
        self._tasks = tasks
        self._flush_s = flush_s
        self._running: asyncio.Task[None] | None = None
        self._producer: AIOKafkaProducer | None = None
        self._tracker: OffsetTracker | None = None
        self._finished: list[Outcome] = []
        self._kept: dict[int, Outcome] = {}
        self._alone: set[int] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._unfinished = 0
        self._alive = True
        self._flushing = asyncio.Lock()
        self._committing: asyncio.Future[None] | None = None
        self._due = asyncio.Event()

    @property
    def room(self) -> int:
        """Number of records that may be taken in now."""
        return self._tracker.room if self._alive and self._tracker is not None else 0

    @property
    def position(self) -> int | None:
        """Offset from which records are to be read, or None while the partition is being taken over."""
        return self._tracker.position if self._alive and self._tracker is not None else None

    def start(self) -> None:
        self._running = self._tasks.start(self._run())

    def take_in(self, records: Sequence[Record]) -> None:
        """Starts the handling of all records that are not done yet.

        Handling goes on while this member owns the partition. At the loss it is cancelled, since the next owner handles
        the record again. Calls under way still finish, for the cache.
        """
        tracker = self._tracker
        if tracker is None:
            return
        for record in records:
            if tracker.deliver(record.offset):
                self._unfinished += 1
                work = self._tasks.start_handling(self._handle(tracker, record))
                self._work.add(work)
                work.add_done_callback(self._work.discard)

    def stop(self) -> None:
        """Stops taking over and flushing. A commit under way goes on. Call `end` next."""
        if self._running is not None:
            self._running.cancel()

    async def end(self) -> None:
        """Drops unfinished work, commits finished outcomes, and closes the producer. Call `stop` before."""
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
        """Gives up a commit that the broker does not answer. The next owner settles the transaction."""
        if self._producer is not None:
            await abandon(self._producer)
        if self._committing is not None:
            self._committing.cancel()

    async def _handle(self, tracker: OffsetTracker, record: Record) -> None:
        outcome = self._kept.pop(record.offset, None) or await self._handler.handle(record)
        if not self._alive or tracker is not self._tracker:  # the partition is lost, or its records were read again
            return
        self._unfinished -= 1
        self._finished.append(outcome)
        if self._unfinished == 0 or len(self._finished) >= MOST_OUTCOMES:
            self._due.set()  # wakes `_flush_until_broken`

    def _drop_work(self) -> None:
        for work in self._work:
            work.cancel()

    async def _run(self) -> None:
        """Takes the partition over, then flushes; starts over with a new producer after any error."""
        while self._alive:
            if await self._take_over():
                wait_s = await self._flush_until_broken()
                await self._restart(wait_s)

    async def _take_over(self) -> bool:
        producer = self._client.make_producer(self.tp)
        try:
            hit("worker.takeover.begun")
            await producer.start()
            hit("worker.takeover.fenced")
            point = await self._client.starting_points.find(self.tp, producer)
            hit("worker.takeover.found")
            tracker = OffsetTracker(point)
        except (asyncio.CancelledError, QAStreamError):
            await discard(producer)
            raise
        except AUTHORIZATION as exc:
            await discard(producer)
            raise from_refusal(self._client.kafka, exc, "WRITE") from exc
        except (*PRODUCER_FAILED, OSError) as exc:
            log.info("partition %d can not be taken over yet: %r", self.tp.partition, exc)
            await discard(producer)
            await asyncio.sleep(RETRY_S)
            return False
        if not self._alive:
            await discard(producer)
            return False
        self._producer, self._tracker, self._unfinished = producer, tracker, 0
        self._client.consumer.seek(self.tp, point.offset)
        self._client.consumer.resume(self.tp)
        hit("worker.takeover.resumed")
        log.debug("partition %d taken over at offset %d", self.tp.partition, point.offset)
        return True

    async def _flush_until_broken(self) -> float:
        """Flushes whenever it is due. Returns after an error: the seconds to wait before the next try."""
        while self._alive:
            await self._wait_until_due()
            async with self._flushing:
                if not self._alive:
                    break
                error = await self._flush()
            if isinstance(error, AUTHORIZATION):
                raise from_refusal(self._client.kafka, error, "WRITE") from error
            if isinstance(error, TooLargeError):
                return self._keep(error)
            if error is not None:
                return FENCED_WAIT_S if isinstance(error, ProducerFenced) else 0.0
        return 0.0

    async def _wait_until_due(self) -> None:
        """Returns when nothing is unfinished, when enough outcomes have gathered, or after `flush_s` seconds."""
        try:
            async with asyncio.timeout(self._flush_s):
                await self._due.wait()
        except TimeoutError:
            pass
        self._due.clear()

    async def _flush(self) -> BaseException | None:
        """Commits finished outcomes; returns the error if that failed.

        When it is cancelled, it still waits for the commit, which would otherwise go on unseen.
        """
        if not self._finished or self._producer is None or self._tracker is None:
            return None
        batch = self._take_batch()
        began = time.monotonic()
        commit = self._committing = asyncio.ensure_future(
            commit_outcomes(self._producer, self.tp, self._tracker, batch, group=self._client.names.group)
        )
        cancelled = False
        while not commit.done():
            try:
                await asyncio.shield(commit)
            except asyncio.CancelledError:
                cancelled = True
            except Exception:  # noqa: BLE001, S110 - read from the future below
                pass
        error = None if commit.cancelled() else commit.exception()
        if commit.cancelled() or error is not None:
            self._transactions.failed()
        else:
            self._transactions.committed(batch, time.monotonic() - began)
            if self._finished and self._alone:
                self._due.set()
        if cancelled or commit.cancelled():
            raise asyncio.CancelledError
        if error is not None:
            log.warning("partition %d: a transaction failed and is repeated: %s", self.tp.partition, in_words(error))
        return error

    def _take_batch(self) -> list[Outcome]:
        """Takes the finished outcomes that go into the next transaction. Refused ones come last, each alone."""
        batch = [outcome for outcome in self._finished if outcome.offset not in self._alone] or self._finished[:1]
        taken = {outcome.offset for outcome in batch}
        self._finished = [outcome for outcome in self._finished if outcome.offset not in taken]
        self._alone -= taken
        return batch

    def _keep(self, error: TooLargeError) -> float:
        """Keeps the outcomes of a refused transaction, so that none is paid for again. Returns the seconds to wait.

        A refused outcome is committed alone. It becomes smaller if it was alone, until the topic takes it.
        """
        self._kept |= {outcome.offset: outcome for outcome in (*error.outcomes, *self._finished)}
        self._alone |= error.topics.keys()
        if len(error.outcomes) > 1:
            return 0.0
        (outcome,), (topic,) = error.outcomes, error.topics.values()
        smaller = outcome.smaller()
        self._kept[outcome.offset] = smaller or outcome.whole or outcome
        if smaller is None:
            log.error(
                "topic %s refuses a record of %d bytes. Raise its max.message.bytes to %d: "
                "kafka-configs --bootstrap-server %s --alter --topic %s --add-config max.message.bytes=%d",
                *(topic, outcome.size, MAX_MESSAGE_BYTES, self._client.kafka.brokers, topic, MAX_MESSAGE_BYTES),
            )
        return REFUSED_WAIT_S if smaller is None else 0.0

    async def _restart(self, wait_s: float) -> None:
        """Discards the producer and the tracker: after an error the producer's state is unknown."""
        if not self._alive:
            return
        self._client.consumer.pause(self.tp)
        self._drop_work()
        self._tracker, self._finished = None, []
        producer, self._producer = self._producer, None
        if producer is not None:
            await discard(producer)
        await asyncio.sleep(wait_s)
