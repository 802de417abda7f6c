"""Reading a topic as it grows, each record once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from configs.sections import KafkaSettings
from messaging.connection import make_consumer, start_patiently, stop_reading
from messaging.reading import assign_all, last_offsets
from messaging.record import Record, poll

BATCH = 500
Offsets = dict[int, int]
"""Offset by partition."""


@dataclass(slots=True)
class Follower:
    """Committed records of all partitions of one topic. `read` has the offset after the last record by partition."""

    kafka: KafkaSettings
    consumer: AIOKafkaConsumer
    partitions: list[TopicPartition]
    read: Offsets = field(default_factory=dict)

    async def run(self, take: Callable[[Record], None]) -> None:
        """Give every record to `take`, for ever; yields to the loop between batches."""
        while True:
            for records in (await poll(self.consumer, timeout_ms=500, max_records=BATCH)).values():
                for record in records:
                    take(record)
                    self.read[record.partition] = record.offset + 1
            await asyncio.sleep(0)

    async def ends(self) -> Offsets:
        """Where each partition ends now, whatever is committed of it.

        A reader of committed records sees no further than the first transaction that is open: it would take that for
        the end, with what others have committed behind it.
        """
        return {tp.partition: end for tp, end in (await last_offsets(self.kafka, self.partitions)).items()}

    async def has_reached(self, ends: Offsets) -> bool:
        """The position counts, not the last record: markers of transactions stand behind it."""
        for tp in self.partitions:
            if await self.consumer.position(tp) < ends[tp.partition]:
                return False
        return True


@asynccontextmanager
async def follow(kafka: KafkaSettings, topic: str, *, start: Offsets | None = None) -> AsyncIterator[Follower]:
    """`start` has the first offset by partition (default: the oldest)."""
    consumer = make_consumer(kafka)
    await start_patiently(consumer, kafka, patience_s=60)
    try:
        yield Follower(kafka, consumer, await assign_all(consumer, topic, start=start))
    finally:
        await stop_reading(consumer)
