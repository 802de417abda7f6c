"""Bounded reads: every record that is committed on a topic now, and then an end.

The client moves positions as it takes records out of its buffer, and throws these records away when the next ones turn
out to be unreadable. So this module keeps positions too, of the records that it has handed on.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, TopicAuthorizationFailedError

from configs.errors import QAStreamError
from configs.sections import KafkaSettings
from messaging.access import explained
from messaging.client_internals import client_of, fetch_leniently, partitions_of
from messaging.connection import RETRY_S, BrokerUnreachableError, open_consumer
from messaging.record import BATCH, Batches, Record, poll
from messaging.topics import describe

WAIT_MS = 500
LOOK_UP_S = 10.0
IF_DAMAGED = (
    "Let a broker lead it that has a whole copy, or restore the broker's data, or give the damaged records up "
    "(docs/troubleshooting.md)"
)


class TopicMissingError(QAStreamError):
    """A topic that should be read does not exist."""


class UnreadableError(QAStreamError):
    """The bytes that a broker gives for a partition are not records."""


async def read_to_end(
    kafka: KafkaSettings,
    topic: str,
    *,
    start: Mapping[int, int] | None = None,
    patience_s: float | None = None,
    through_pending: bool = False,
) -> AsyncGenerator[Record, None]:
    """Yield the records of all partitions, in the order of each, that were committed when the call began.

    Use it within `contextlib.aclosing`. `start` has the first offset by partition (default: the oldest).
    An open transaction of another writer hides the records behind it. With `through_pending` this waits for its end
    and reads up to the last record of any kind: a writer needs that to see all of its own records.

    Raises TopicMissingError, AccessError, UnreadableError, and BrokerUnreachableError after `patience_s`.
    """
    async with open_consumer(kafka, patience_s=patience_s) as consumer:
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


async def _read(consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> Batches:
    """Return the next records. After an error, read each partition apart: the error does not name one."""
    try:
        return await poll(consumer, *positions, timeout_ms=WAIT_MS)
    except Exception as exc:
        if not _is_about_bytes(exc):
            raise
        for tp, position in positions.items():
            consumer.seek(tp, position)
        return {tp: await _read_apart(consumer, tp, position) for tp, position in positions.items()}


def _is_about_bytes(exc: Exception) -> bool:
    """Tell whether bytes can't be parsed; the client then raises errors of many kinds."""
    return not isinstance(exc, KafkaError) or isinstance(exc, CorruptRecordException)


async def _read_apart(consumer: AIOKafkaConsumer, tp: TopicPartition, position: int) -> list[Record]:
    """Read record by record, because a poll for more would throw away the records before the damage."""
    records: list[Record] = []
    while len(records) < BATCH:
        try:
            found = (await poll(consumer, tp, timeout_ms=WAIT_MS, max_records=1)).get(tp, [])
        except UnicodeDecodeError:  # the name of a header
            found = await fetch_leniently(consumer, tp, position, max_records=BATCH)
            if found:
                consumer.seek(tp, found[-1].offset + 1)
        except Exception as exc:
            if not _is_about_bytes(exc):
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
    """Return the ends of partitions, uncommitted records included: offsets depend on a consumer's isolation level."""
    async with open_consumer(kafka, isolation_level="read_uncommitted") as consumer:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends


async def has_open_transaction(kafka: KafkaSettings, topic: str, *, patience_s: float | None = None) -> bool:
    """Tell whether a writer has a transaction open on the topic, so that more records may become visible."""
    async with open_consumer(kafka, patience_s=patience_s) as consumer:
        partitions = await assign_all(consumer, topic)
        return bool(await consumer.end_offsets(partitions) != await last_offsets(kafka, partitions))


async def assign_all(
    consumer: AIOKafkaConsumer, topic: str, *, start: Mapping[int, int] | None = None
) -> list[TopicPartition]:
    """Give a started consumer all partitions of `topic`, and set each position, so that none is left to a reset."""
    partitions = [TopicPartition(topic, number) for number in sorted(await topic_partitions(consumer, topic))]
    consumer.assign(partitions)
    beginnings = await consumer.beginning_offsets(partitions)
    for tp in partitions:
        consumer.seek(tp, (start or {}).get(tp.partition, beginnings[tp]))
    return partitions


async def count_partitions(kafka: KafkaSettings, topic: str, *, patience_s: float | None = None) -> int:
    """Count the partitions of a topic. Raises as `topic_partitions` does, and after `patience_s` without a broker."""
    async with open_consumer(kafka, patience_s=patience_s) as consumer:
        with explained(kafka, "DESCRIBE"):
            return len(await topic_partitions(consumer, topic))


async def topic_partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    """Return the numbers of a topic's partitions. Tries for 10 s when the broker goes away meanwhile.

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
        if topic in await describe(client_of(consumer), [topic]):  # it is only hidden from this user
            raise TopicAuthorizationFailedError(topic)
        raise TopicMissingError(f"topic {topic} does not exist on this Kafka cluster; is --namespace right?")
    return found
