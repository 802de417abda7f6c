"""Bounded reads: everything committed on a topic up to now, and then an end.

The client moves positions as it takes records out of its buffer, and throws them away when the next ones turn out to be
unreadable. So positions are kept here too, by what was handed on.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError

from configs.errors import QAStreamError
from configs.sections import KafkaSettings
from messaging.access import explained
from messaging.client_internals import client_of, fetch_leniently, partitions_of
from messaging.connection import RETRY_S, BrokerUnreachableError, make_consumer, start_patiently, stop_reading
from messaging.record import BATCH, Batches, Record, poll
from messaging.topics import describe

WAIT_MS = 500
LOOK_UP_S = 10.0
IF_DAMAGED = (
    "Let a broker lead it that has a whole copy, or restore the broker's data, or give the damaged records up "
    "(docs/troubleshooting.md)"
)


class TopicMissingError(QAStreamError):
    """A topic that should be read is not there."""


class UnreadableError(QAStreamError):
    """What a broker gives for a partition makes no records."""


async def read_to_end(
    kafka: KafkaSettings,
    topic: str,
    *,
    start: Mapping[int, int] | None = None,
    patience_s: float | None = None,
    through_pending: bool = False,
) -> AsyncGenerator[Record, None]:
    """Committed records of all partitions, in the order of each, up to what was committed when the call began.

    `start` has the first offset by partition (default: the oldest). Use within `contextlib.aclosing`.
    A transaction that another writer has open hides what was committed behind it. `through_pending` waits for its end
    and reads up to the last record of any kind: for who must not miss its own records.

    Raises TopicMissingError, AccessError, UnreadableError, and BrokerUnreachableError after `patience_s`.
    """
    consumer = make_consumer(kafka)
    try:
        await start_patiently(consumer, kafka, patience_s=patience_s)
        with explained(kafka, "READ"):
            partitions = await assign_all(consumer, topic, start=start)
        ends = await last_offsets(kafka, partitions) if through_pending else await consumer.end_offsets(partitions)
        handed_on = {tp: await consumer.position(tp) for tp in partitions}
        while behind := [tp for tp in partitions if await consumer.position(tp) < ends[tp]]:
            with explained(kafka, "READ"):
                batches = await _read(consumer, {tp: handed_on[tp] for tp in behind})
            for tp, records in batches.items():
                for record in records:
                    if record.offset < ends[tp]:
                        yield record
                    handed_on[tp] = record.offset + 1
    finally:
        await stop_reading(consumer)


async def _read(consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> Batches:
    """What comes next; after an error, of each partition by itself: it does not say which one has it, and where."""
    try:
        return await poll(consumer, *positions, timeout_ms=WAIT_MS)
    except Exception as exc:
        if not _of_the_bytes(exc):
            raise
        for tp, position in positions.items():
            consumer.seek(tp, position)
        return {tp: await _read_apart(consumer, tp, position) for tp, position in positions.items()}


def _of_the_bytes(exc: Exception) -> bool:
    """Whether it comes of bytes that can't be parsed: the client raises this and that."""
    return not isinstance(exc, KafkaError) or isinstance(exc, CorruptRecordException)


async def _read_apart(consumer: AIOKafkaConsumer, tp: TopicPartition, position: int) -> list[Record]:
    """Record by record: of more at once, those before the damage are thrown away."""
    records: list[Record] = []
    while len(records) < BATCH:
        try:
            found = (await poll(consumer, tp, timeout_ms=WAIT_MS, max_records=1)).get(tp, [])
        except UnicodeDecodeError:  # the name of a header
            found = await fetch_leniently(consumer, tp, position, max_records=BATCH)
            if found:
                consumer.seek(tp, found[-1].offset + 1)
        except Exception as exc:
            if not _of_the_bytes(exc):
                raise
            raise UnreadableError(
                f"partition {tp.partition} of {tp.topic} can't be read from offset {position} on: {exc!r}. {IF_DAMAGED}"
            ) from exc
        if not found:
            break
        records += found
        position = found[-1].offset + 1
    return records


async def last_offsets(kafka: KafkaSettings, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """Ends of what is written, committed or not: a request for offsets carries its consumer's isolation level."""
    consumer = make_consumer(kafka, isolation_level="read_uncommitted")
    try:
        await start_patiently(consumer, kafka)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends
    finally:
        await stop_reading(consumer)


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


async def count_partitions(kafka: KafkaSettings, topic: str, *, patience_s: float | None = None) -> int:
    """Raises what `topic_partitions` raises, KafkaError, and BrokerUnreachableError after `patience_s`."""
    consumer = make_consumer(kafka)
    try:
        await start_patiently(consumer, kafka, patience_s=patience_s)
        with explained(kafka, "DESCRIBE"):
            return len(await topic_partitions(consumer, topic))
    finally:
        await stop_reading(consumer)


async def topic_partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    """Numbers of the partitions of `topic`. A broker that goes away meanwhile gets a while to come back.

    Raises TopicMissingError, TopicAuthorizationFailedError, and BrokerUnreachableError from the client's error.
    """
    began = time.monotonic()
    while True:
        try:
            found = await partitions_of(consumer, topic)
        except KafkaError as exc:
            if time.monotonic() - began > LOOK_UP_S:
                raise BrokerUnreachableError(f"topic {topic} could not be looked up: {exc!r}") from exc
            await asyncio.sleep(RETRY_S)
        else:
            break
    if not found:
        await describe(client_of(consumer), [topic])  # tells whether it is only hidden from us
        raise TopicMissingError(f"topic {topic} does not exist on this Kafka cluster; is --namespace right?")
    return found
