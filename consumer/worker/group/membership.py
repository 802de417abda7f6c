"""Membership in the consumer group: takes records in, hands them to be answered, follows rebalances.

Shutdown, in order: intake stops; calls under way get a while to finish; what is finished is committed; what is not
is cancelled, which aborts its requests; the group is left. A call that finished is in the cache in any case.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from configs.sections import KafkaSettings, WorkerSettings
from consumer.worker.group.intake import NOWHERE, POLL_MS, Intake
from consumer.worker.group.offsets import OffsetTracker
from consumer.worker.group.starting_points import StartingPoints
from consumer.worker.group.tenure import Tenure, TenureOptions
from consumer.worker.observing import Transactions
from consumer.worker.outcome import Outcome
from messaging.access import from_refusal
from messaging.client_internals import include_topic, knows_coordinator, refresh_metadata
from messaging.connection import make_transactional_producer
from messaging.record import Record
from schemas import TopicNames
from telemetry.metrics import WorkerMetrics
from telemetry.telemetry import Telemetry

REVOKE_S = 3.0
STOP_S = 5.0
TURNS = 100
"""Of the event loop: more than it takes from an answer that is kept to its outcome."""
log = logging.getLogger(__name__)

Handle = Callable[[Record], Awaitable[Outcome]]


class Group(ConsumerRebalanceListener):  # type: ignore[misc] # the library has no types
    """One member. `handle` turns a record into its outcome; it may take as long as it likes.

    While `may_take_in` says no, as when the model is away, nothing is read, and membership is kept.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        worker: WorkerSettings,
        consumer: AIOKafkaConsumer,
        handle: Handle,
        *,
        servers: int,
        may_take_in: Callable[[], bool],
        finish_calls: Callable[[], Coroutine[Any, Any, None]],
        telemetry: Telemetry[WorkerMetrics],
    ) -> None:
        self._kafka = kafka
        self._drain_s = worker.drain_s
        self._names = TopicNames(kafka.namespace)
        self._consumer = consumer
        self._handle = handle
        self._may_take_in = may_take_in
        self._finish_calls = finish_calls
        self._tenures: dict[TopicPartition, tuple[Tenure, asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand = 0
        self._assigned = False
        self._gave_back_s = time.monotonic()
        self._most_in_hand = 2 * worker.concurrency * servers
        self._failure: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._stopping = False
        self._rebalances = telemetry.metrics.rebalances
        self._intake = Intake(kafka, consumer, self._tenure_of, self._take_in)
        transactions = self._observed(telemetry)
        self._options = TenureOptions(
            group=self._names.group,
            flush_s=worker.flush_ms / 1000,
            make_producer=self._make_producer,
            starting_point=StartingPoints(kafka, consumer).find,
            resume_at=self._resume_at,
            refused=lambda exc: from_refusal(kafka, exc, "WRITE"),
            committed=transactions.committed,
            failed=transactions.failed,
        )

    def _observed(self, telemetry: Telemetry[WorkerMetrics]) -> Transactions:
        transactions = Transactions(telemetry.metrics)
        telemetry.metrics.in_hand.set_function(lambda: self._in_hand)
        telemetry.metrics.partitions.set_function(lambda: len(self._tenures))
        telemetry.health.check("transactions", transactions.trouble)
        telemetry.health.check("group", self._trouble)
        telemetry.health.check("reading", self._intake.trouble)
        return transactions

    def _trouble(self) -> str | None:
        if not self._assigned:
            return "has not joined the consumer group yet"
        if not knows_coordinator(self._consumer):
            return "the consumer group's coordinator is not known"
        return None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Raises WorkerError when going on could lose or double results."""
        intake: asyncio.Future[Any] = asyncio.create_task(self._join_and_take_in())
        stopped: asyncio.Future[Any] = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([intake, stopped, self._failure], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping = True
            for task in (intake, stopped):
                task.cancel()
            await asyncio.gather(intake, stopped, return_exceptions=True)
            await self._shut_down(drain_s=0.0 if self._failure.done() else self._drain_s)
        for ended in (self._failure, intake):
            if ended.done() and not ended.cancelled() and (error := ended.exception()) is not None:
                raise error

    # Rebalances: called by the consumer, one at a time

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        partitions = list(assigned)
        self._assigned = True
        self._rebalances.inc()
        self._consumer.pause(*partitions)  # before the first await: records are already on their way
        if not self._consumer.partitions_for_topic(self._names.chunks):
            # A leader without metadata assigns nothing to everybody; fresh metadata makes it assign again.
            refresh_metadata(self._consumer)
        if self._stopping:
            return
        for tp in partitions:
            tenure = Tenure(tp, self._options, self._consumer.pause)
            self._tenures[tp] = (tenure, self._spawn(tenure.run()))
        log.info(
            "assigned %d partitions",
            len(partitions),
            extra={
                "partitions": sorted(tp.partition for tp in partitions),
                "rebalance_s": round(time.monotonic() - self._gave_back_s, 3),
            },
        )

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002 - always all
        self._gave_back_s = time.monotonic()
        await self._end_tenures(REVOKE_S)

    async def _end_tenures(self, budget_s: float) -> None:
        """Commit what is finished, within the budget; calls under way go on, for the cache."""
        ending, self._tenures = list(self._tenures.values()), {}
        if not ending:
            return
        for _, running in ending:
            running.cancel()
        tasks = {asyncio.create_task(tenure.end()): tenure for tenure, _ in ending}
        done, late = await asyncio.wait(tasks, timeout=budget_s)
        for task in late:
            task.cancel()
            self._spawn(tasks[task].cut())
        for task in done:
            if not task.cancelled() and task.exception() is not None:
                log.warning("a partition was not given back cleanly: %r", task.exception())

    def _make_producer(self, tp: TopicPartition) -> AIOKafkaProducer:
        return make_transactional_producer(self._kafka, self._names.worker_id(tp.partition))

    def _resume_at(self, tp: TopicPartition, offset: int) -> None:
        self._consumer.seek(tp, offset)
        self._consumer.resume(tp)

    # Records

    async def _join_and_take_in(self) -> None:
        await self._know_topic()
        self._consumer.subscribe([self._names.chunks], listener=self)
        while True:
            ready = {tp: tenure.room for tp, (tenure, _) in self._tenures.items() if tenure.room}
            room = min(self._most_in_hand - self._in_hand, *ready.values()) if self._may_take_in() and ready else 0
            await self._intake.read(list(ready) if room > 0 else [], room)

    def _tenure_of(self, tp: TopicPartition) -> Tenure | None:
        tenure, _ = self._tenures.get(tp, (None, None))
        return tenure

    def _take_in(self, tp: TopicPartition, records: list[Record]) -> None:
        if tp not in self._tenures:
            return
        tenure, _ = self._tenures[tp]
        for record in records:
            tracker = tenure.deliver(record.offset)
            if tracker is not None:
                work = self._spawn(self._process(tenure, tracker, record))
                self._in_hand += 1
                work.add_done_callback(self._out_of_hand)  # in `_process` it would miss work that never began
                tenure.own(work)

    def _out_of_hand(self, _: asyncio.Task[None]) -> None:
        self._in_hand -= 1

    async def _process(self, tenure: Tenure, tracker: OffsetTracker, record: Record) -> None:
        tenure.finish(tracker, await self._handle(record))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self._failure.done():
            self._failure.set_exception(error)

    # Start and end

    async def _know_topic(self) -> None:
        """A member that joins without knowing the topic, and leads the group, assigns nothing to everybody."""
        while not self._consumer.partitions_for_topic(self._names.chunks):
            include_topic(self._consumer, self._names.chunks)
            await refresh_metadata(self._consumer)
            await asyncio.sleep(POLL_MS / 1000)

    async def _shut_down(self, drain_s: float) -> None:
        await self._drain(drain_s)
        await self._end_tenures(STOP_S)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:  # bounded: a commit under way waits without limit for a broker that is away
            await asyncio.wait(self._tasks, timeout=STOP_S)

    async def _drain(self, drain_s: float) -> None:
        """Calls under way are paid for: those for partitions that are lost meanwhile too, for the cache.

        What has not begun is the next owner's.
        """
        finishing, staying = asyncio.create_task(self._finish_calls()), asyncio.create_task(self._stay())
        await asyncio.wait([finishing], timeout=drain_s)
        if finishing.done():
            for _ in range(TURNS):  # the last answers have yet to become outcomes, without waiting for anything
                await asyncio.sleep(0)
        for task in (finishing, staying):
            task.cancel()
        await asyncio.gather(finishing, staying, return_exceptions=True)

    async def _stay(self) -> None:
        """As a member that polls, until cancelled: without an assignment, a poll waits for one without limit.

        What is wrong with the group is why we stop, or matters no more.
        """
        while True:
            try:
                await self._consumer.getmany(NOWHERE, timeout_ms=POLL_MS)
            except KafkaError:
                await asyncio.sleep(POLL_MS / 1000)
