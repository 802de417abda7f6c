"""Commits batches to Kafka, one transaction each. A producer is not used again after an error."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from aiokafka import AIOKafkaProducer, errors

from configs.failpoints import hit
from configs.sections import KafkaSettings
from ledger.entries import Ledger
from messaging.connection import PRODUCER_FAILED, TRANSACTION_TIMEOUT_MS, in_words, open_producer
from producer.errors import FencedError, PublishError
from producer.publishing.batches import Batch
from schemas import TopicNames

T = TypeVar("T")
TICK_S = 1.0
_LASTING = (
    errors.ClusterAuthorizationFailedError, errors.InvalidTopicError, errors.MessageSizeTooLargeError,
    errors.TopicAuthorizationFailedError, errors.TransactionalIdAuthorizationFailed,
)  # fmt: skip
log = logging.getLogger(__name__)


class Publisher:
    """Commits batches and tells the ledger. After a PublishError neither this nor its ledger may be used again."""

    def __init__(self, producer: AIOKafkaProducer, ledger: Ledger) -> None:
        self._producer = producer
        self.ledger = ledger

    async def publish(self, batch: Batch) -> None:
        """Commits all of `batch` or nothing of it. Waits without end for a broker.

        Raises PublishError, and FencedError when another producer has taken over this source.
        """
        if not batch.records:
            return
        watch = _Watch()
        try:
            await watch.over(self._transaction(batch))
        except errors.ProducerFenced as exc:
            raise self._fenced(watch) from exc
        except PRODUCER_FAILED as exc:
            message = f"a transaction of {len(batch.records)} records failed: {in_words(exc)}"
            raise PublishError(message, lasting=isinstance(exc, _LASTING)) from exc
        for entry, value in batch.entries.values():
            self.ledger.put(entry, value)

    async def _transaction(self, batch: Batch) -> None:
        """Awaits every send before the commit: a failed send does not fail the commit by itself."""
        await self._producer.begin_transaction()
        sends = [
            await self._producer.send(record.topic, record.value, record.key, headers=batch.headers.get(record.trace))
            for record in batch.records
        ]
        hit("producer.begun")
        await asyncio.gather(*sends)
        hit("producer.sent")
        await self._producer.commit_transaction()
        hit("producer.committed")

    def _fenced(self, watch: "_Watch") -> FencedError | PublishError:
        """Returns the error: another producer with our id has started, or our transaction was open too long."""
        if watch.seconds * 1000 >= TRANSACTION_TIMEOUT_MS and not watch.suspended:
            return PublishError(f"a transaction was open for {watch.seconds:.0f} s and Kafka ended it")
        return FencedError(
            f"another producer has taken over source {self.ledger.source!r}, or this process was suspended. It stops. "
            "One producer publishes a directory; for another directory set another --source"
        )


class _Watch:
    """Measures how long work takes, and whether this process was suspended meanwhile.

    A suspended producer may have been replaced, and must not take its place back. A producer that ran and could not
    reach a broker in time may go on.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.suspended = False

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    async def over(self, work: Awaitable[T]) -> T:
        ticker = asyncio.create_task(self._tick())
        try:
            return await work
        finally:
            ticker.cancel()

    async def _tick(self) -> None:
        last = self._began
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            self.suspended = self.suspended or now - last > 4 * TICK_S
            last = now


def started_producer(kafka: KafkaSettings, source: str) -> AbstractAsyncContextManager[AIOKafkaProducer]:
    """Opens the producer of a source. Its start fences a predecessor and ends a transaction that was left open."""
    return open_producer(kafka, TopicNames(kafka.namespace).producer_id(source))
