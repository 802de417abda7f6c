"""Membership in the consumer group: follows rebalances, reads records, and stops in order.

The order of a stop: reading stops; calls under way get some time to finish; finished outcomes are committed; all other
work is cancelled, which aborts its requests; the member leaves the group. Finished calls are in the cache in any case.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from configs.sections import WorkerSettings
from consumer.worker.group.client import GroupClient
from consumer.worker.group.handler import Handler
from consumer.worker.group.intake import NOWHERE, POLL_MS, GroupIntake
from consumer.worker.group.observing import ObservedTransactions
from consumer.worker.group.tasks import MemberTasks
from consumer.worker.group.tenure import Tenure
from messaging.client_internals import knows_coordinator, refresh_metadata
from telemetry.metrics import WorkerMetrics
from telemetry.telemetry import Telemetry

IN_HAND_PER_CALL = 2
"""Records in hand for each call that may be under way, so that a record always waits for the next slot."""
REVOKE_S = 3.0
"""Longest time for which a revocation waits for the commits of finished outcomes."""
STOP_S = 5.0
log = logging.getLogger(__name__)


class Membership(ConsumerRebalanceListener):  # type: ignore[misc] # the library has no types
    """One member of the group. It has a tenure for each partition that is assigned to it."""

    def __init__(
        self,
        client: GroupClient,
        handler: Handler,
        telemetry: Telemetry[WorkerMetrics],
        worker: WorkerSettings,
        *,
        servers: int,
    ) -> None:
        """`servers` is the number of model servers: with more of them, more records are in hand."""
        self._client = client
        self._handler = handler
        self._metrics = telemetry.metrics
        self._transactions = ObservedTransactions(telemetry.metrics)
        self._worker = worker
        self._most_in_hand = IN_HAND_PER_CALL * worker.concurrency * servers
        self._tasks = MemberTasks()
        self._tenures: dict[TopicPartition, Tenure] = {}
        self._intake = GroupIntake(client, self._tenures)
        self._assigned = False
        self._revoked_s = time.monotonic()
        self._stopping = False
        telemetry.metrics.in_hand.set_function(lambda: len(self._tasks.handling))
        telemetry.metrics.partitions.set_function(lambda: len(self._tenures))
        telemetry.health.check("transactions", self._transactions.trouble)
        telemetry.health.check("group", self._trouble)
        telemetry.health.check("reading", self._intake.trouble)

    def _trouble(self) -> str | None:
        if not self._assigned:
            return "has not joined the consumer group yet"
        if not knows_coordinator(self._client.consumer):
            return "the consumer group's coordinator is not known"
        return None

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set. Raises WorkerError when going on could lose or double results."""
        reading: asyncio.Future[Any] = asyncio.create_task(self._join_and_read())
        stopped: asyncio.Future[Any] = asyncio.create_task(stop.wait())
        failure = self._tasks.failure
        try:
            await asyncio.wait([reading, stopped, failure], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping = True
            for task in (reading, stopped):
                task.cancel()
            await asyncio.gather(reading, stopped, return_exceptions=True)
            await self._drain(0.0 if failure.done() else self._worker.drain_s)
            await self._end_tenures(STOP_S)
            await self._tasks.cancel(within_s=STOP_S)
        for ended in (failure, reading):
            if ended.done() and not ended.cancelled() and (error := ended.exception()) is not None:
                raise error

    async def _join_and_read(self) -> None:
        await self._client.learn_topic()
        self._client.consumer.subscribe([self._client.names.chunks], listener=self)
        while True:
            room = {tp: tenure.room for tp, tenure in self._tenures.items() if tenure.room}
            most = (
                min(self._most_in_hand - len(self._tasks.handling), *room.values())
                if self._handler.ready and room
                else 0
            )
            await self._intake.read(list(room) if most > 0 else [], most)

    # Rebalances: called by the consumer, one at a time

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        partitions = list(assigned)
        self._assigned = True
        self._metrics.rebalances.inc()
        self._client.consumer.pause(*partitions)  # before the first await: records are already on their way
        if not self._client.knows_topic:
            # If the group's leader does not know the topic, no member gets a partition until its metadata is fresh.
            refresh_metadata(self._client.consumer)
        if self._stopping:
            return
        handler, flush_s = self._handler, self._worker.flush_ms / 1000
        for tp in partitions:
            tenure = Tenure(tp, self._client, handler, self._transactions, self._tasks, flush_s=flush_s)
            self._tenures[tp] = tenure
            tenure.start()
        log.info(
            "assigned %d partitions",
            len(partitions),
            extra={
                "partitions": sorted(tp.partition for tp in partitions),
                "rebalance_s": round(time.monotonic() - self._revoked_s, 3),
            },
        )

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002 - always all
        self._revoked_s = time.monotonic()
        await self._end_tenures(REVOKE_S)

    async def _end_tenures(self, within_s: float) -> None:
        """Commits finished outcomes for at most `within_s` seconds. Calls under way go on, for the cache."""
        ending = list(self._tenures.values())
        self._tenures.clear()
        if not ending:
            return
        for tenure in ending:
            tenure.stop()
        tasks = {asyncio.create_task(tenure.end()): tenure for tenure in ending}
        done, late = await asyncio.wait(tasks, timeout=within_s)
        for task in late:
            task.cancel()
            self._tasks.start(tasks[task].cut())
        for task in done:
            if not task.cancelled() and task.exception() is not None:
                log.warning("a partition was not given back cleanly: %r", task.exception())

    # The end

    async def _drain(self, drain_s: float) -> None:
        """Waits up to `drain_s` seconds for calls under way, since they are paid for, even if their partition is lost.

        Chunks without a call under way are left to the next owner.
        """
        finishing, staying = asyncio.create_task(self._handler.finish()), asyncio.create_task(self._stay())
        await asyncio.wait([finishing], timeout=drain_s)
        for task in (finishing, staying):
            task.cancel()
        await asyncio.gather(finishing, staying, return_exceptions=True)

    async def _stay(self) -> None:
        """Polls without reading until it is cancelled. Errors do not matter, because the worker is stopping already."""
        while True:
            try:
                await self._client.consumer.getmany(NOWHERE, timeout_ms=POLL_MS)
            except KafkaError:
                await asyncio.sleep(POLL_MS / 1000)
