"""Reading a topic as it grows, each committed record once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from configs.sections import KafkaSettings
from messaging.access import AccessError
from messaging.connection import BrokerUnreachableError, open_consumer
from messaging.reading import TopicMissingError, assign_all, last_offsets
from messaging.record import Record, poll

RETRY_S = 2.0
TROUBLE = (AccessError, BrokerUnreachableError, KafkaError, ConnectionError, TimeoutError, TopicMissingError)
Take = Callable[[Record], None]
Offsets = Mapping[int, int]
"""Offset by partition."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Follower:
    """Reads all partitions of one topic. `read` has the offset after the last record that was taken, by partition."""

    kafka: KafkaSettings
    consumer: AIOKafkaConsumer
    partitions: list[TopicPartition]
    read: dict[int, int] = field(default_factory=dict)

    async def run(self, take: Take) -> None:
        """Give every record to `take`, those of a partition in their order, for ever. Raises KafkaError."""
        while True:
            for records in (await poll(self.consumer, timeout_ms=500)).values():
                for record in records:
                    take(record)
                    self.read[record.partition] = record.offset + 1
            await asyncio.sleep(0)

    async def ends(self) -> dict[int, int]:
        """Return where each partition ends now, records of open transactions included.

        A reader of committed records sees no further than the first open transaction. It would take that for the end,
        although other writers may have committed records behind it.
        """
        return {tp.partition: end for tp, end in (await last_offsets(self.kafka, self.partitions)).items()}

    async def has_reached(self, ends: Offsets) -> bool:
        """Tell whether the consumer's positions are at `ends`, which may lie behind transaction markers."""
        for tp in self.partitions:
            if await self.consumer.position(tp) < ends[tp.partition]:
                return False
        return True


@asynccontextmanager
async def follow(
    kafka: KafkaSettings, topic: str, *, start: Offsets | None = None, patience_s: float | None = 60
) -> AsyncIterator[Follower]:
    """Yield a follower. It begins at the offsets of `start`, and at the oldest record of all other partitions.

    Raises TopicMissingError, AccessError, and BrokerUnreachableError after `patience_s` without a broker.
    """
    async with open_consumer(kafka, patience_s=patience_s) as consumer:
        yield Follower(kafka, consumer, await assign_all(consumer, topic, start=start))


async def keep_following(kafka: KafkaSettings, topic: str, take: Take, *, start: Offsets | None = None) -> None:
    """Follow a topic for ever, with a new client after any trouble with the brokers. No record is given twice."""
    following = dict(start or {})
    while True:
        try:
            async with follow(kafka, topic, start=following, patience_s=None) as follower:
                follower.read = following
                await follower.run(take)
        except TROUBLE as exc:
            log.warning("reading %s starts over: %r", topic, exc)
        await asyncio.sleep(RETRY_S)
