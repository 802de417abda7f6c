"""A record as the rest of the product sees it, and the one way in which a consumer's records become such."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from telemetry.tracing import Header

BATCH = 500
"""Records that are taken out of a consumer at once."""


@dataclass(frozen=True, slots=True)
class Record:
    """One committed record of a topic, published at `timestamp_ms` since 1970. A tombstone's value is None."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()
    timestamp_ms: int = 0


Batches = Mapping[TopicPartition, list[Record]]
"""Records by partition; those of one partition are in the order of their offsets."""


def from_client(record: ConsumerRecord) -> Record:
    """Convert a record of the client library. This takes some 0.6 µs."""
    return Record(
        record.topic, record.partition, record.offset, record.key, record.value, record.headers, record.timestamp
    )


async def poll(
    consumer: AIOKafkaConsumer, *partitions: TopicPartition, timeout_ms: int, max_records: int = BATCH
) -> Batches:
    """Return the next records of `partitions` (default: all assigned ones), or none after `timeout_ms`.

    Raises whatever the client raises: KafkaError, and other errors for bytes that it can't parse.
    """
    batches = await consumer.getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
    return {tp: [from_client(record) for record in records] for tp, records in batches.items()}
