"""Bounded reads: everything committed on a topic up to now, and then an end."""

from collections.abc import AsyncGenerator, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from configs.errors import QAStreamError
from configs.settings import Settings
from messaging.access import explained
from messaging.connection import make_consumer, start_patiently
from messaging.described import describe

BATCH = 500


class TopicMissingError(QAStreamError):
    """A topic that should be read is not there."""


async def read_to_end(
    settings: Settings,
    topic: str,
    *,
    start: Mapping[int, int] | None = None,
    patience_s: float | None = None,
    through_pending: bool = False,
) -> AsyncGenerator[ConsumerRecord, None]:
    """Committed records of all partitions, in the order of each, up to what was committed when the call began.

    `start` has the first offset by partition (default: the oldest). Use within `contextlib.aclosing`.
    A transaction that another writer has open hides what was committed behind it. `through_pending` waits for its end
    and reads up to the last record of any kind: for who must not miss its own records.
    """
    consumer = make_consumer(settings)
    try:
        await start_patiently(consumer, settings, patience_s=patience_s)
        with explained(settings, "READ"):
            partitions = await assign_all(consumer, topic, start=start)
        ends = await last_offsets(settings, partitions) if through_pending else await consumer.end_offsets(partitions)
        while behind := [tp for tp in partitions if await consumer.position(tp) < ends[tp]]:
            with explained(settings, "READ"):
                batches = await consumer.getmany(*behind, timeout_ms=500, max_records=BATCH)
            for records in batches.values():
                for record in records:
                    if record.offset < ends[TopicPartition(record.topic, record.partition)]:
                        yield record
    finally:
        await consumer.stop()


async def last_offsets(settings: Settings, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """Ends of what is written, committed or not: a request for offsets carries its consumer's isolation level."""
    consumer = make_consumer(settings, isolation_level="read_uncommitted")
    try:
        await start_patiently(consumer, settings)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends
    finally:
        await consumer.stop()


async def assign_all(
    consumer: AIOKafkaConsumer, topic: str, *, start: Mapping[int, int] | None = None
) -> list[TopicPartition]:
    """Give a started consumer all partitions of `topic`, positioned: each position is set, none is left to a reset."""
    partitions = [TopicPartition(topic, number) for number in sorted(await topic_partitions(consumer, topic))]
    consumer.assign(partitions)
    beginnings = await consumer.beginning_offsets(partitions)
    for tp in partitions:
        consumer.seek(tp, (start or {}).get(tp.partition, beginnings[tp]))
    return partitions


async def count_partitions(settings: Settings, topic: str, *, patience_s: float | None = None) -> int:
    """Raises what `topic_partitions` raises, KafkaError, and BrokerUnreachableError after `patience_s`."""
    consumer = make_consumer(settings)
    try:
        await start_patiently(consumer, settings, patience_s=patience_s)
        with explained(settings, "DESCRIBE"):
            return len(await topic_partitions(consumer, topic))
    finally:
        await consumer.stop()


async def topic_partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    """Numbers of the partitions of `topic`; raises TopicMissingError and TopicAuthorizationFailedError."""
    try:
        # The public call knows topics that are assigned already, and no others.
        cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001
    except KafkaError as exc:
        raise TopicMissingError(f"topic {topic} could not be looked up: {exc}") from exc
    found = cluster.partitions_for_topic(topic)
    if not found:
        await describe(consumer._client, [topic])  # noqa: SLF001 - tells whether it is only hidden from us
        raise TopicMissingError(f"topic {topic} does not exist on this Kafka cluster; is --namespace right?")
    return set(found)
