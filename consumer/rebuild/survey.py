"""What the topics say: the chunks that there are, and the outcomes that came of them."""

import asyncio
import time
from collections import defaultdict
from contextlib import AsyncExitStack, aclosing
from hashlib import sha256

from aiokafka import AIOKafkaConsumer, TopicPartition

from configs.sections import KafkaSettings
from consumer.rebuild.errors import OutcomesError, RebuildError
from consumer.rebuild.points import Identity, Partition, Rebuilding, Rebuilt
from messaging.committed import committed_point
from messaging.connection import TRANSACTION_TIMEOUT_MS, make_consumer, start_patiently, stop_reading
from messaging.messages import ignore, read_messages
from messaging.reading import read_to_end, topic_partitions
from messaging.record import Record
from schemas import Chunk, DeadLetter, DecodeError, Result, TopicNames, decode
from schemas.ids import record_id

PATIENCE_S = 10.0
SETTLED_S = TRANSACTION_TIMEOUT_MS / 1000 + 10
RETRY_S = 0.2
Outcomes = dict[int, dict[int, Identity]]
"""By partition and offset of the chunk; some 150 bytes of memory each."""


async def survey(kafka: KafkaSettings) -> list[Rebuilt]:
    """The state of all input partitions, while no worker runs. Changes nothing.

    Raises RebuildError, and BrokerUnreachableError or TopicMissingError.
    """
    names = TopicNames(kafka.namespace)
    for topic in (names.results, names.dead_letters):
        await _refuse_incomplete(kafka, topic)
    outcomes = await _read_outcomes(kafka, names)
    partitions = {each.number: Rebuilding(each) for each in await _describe(kafka, names, outcomes)}
    async with aclosing(read_to_end(kafka, names.chunks, patience_s=PATIENCE_S)) as records:
        async for record in records:
            partitions[record.partition].take(record.offset, _identity(record))
    return [partition.rebuilt() for partition in partitions.values()]


async def _refuse_incomplete(kafka: KafkaSettings, topic: str) -> None:
    """All records have to be there, and none may be still to come."""
    async with AsyncExitStack() as stack:
        committed, all_records = [
            make_consumer(kafka, isolation_level=level) for level in ("read_committed", "read_uncommitted")
        ]
        for consumer in (committed, all_records):
            await start_patiently(consumer, kafka, patience_s=PATIENCE_S)
            stack.push_async_callback(consumer.stop)
        places = [TopicPartition(topic, number) for number in await topic_partitions(committed, topic)]
        for place, first in (await committed.beginning_offsets(places)).items():
            if first > 0:
                raise OutcomesError(
                    f"partition {place.partition} of {topic} begins at offset {first}: records were deleted from it, "
                    "so it does not tell what is done. Use a fresh --namespace"
                )
        deadline = time.monotonic() + SETTLED_S
        while await committed.end_offsets(places) != await all_records.end_offsets(places):
            if time.monotonic() > deadline:
                raise RebuildError(
                    f"a transaction on {topic} stays open. Stop all workers, the producer and replays, and try again"
                )
            await asyncio.sleep(RETRY_S)


async def _read_outcomes(kafka: KafkaSettings, names: TopicNames) -> Outcomes:
    found: Outcomes = defaultdict(dict)
    results = read_messages(kafka, names.results, Result, undecodable=_refuse, patience_s=PATIENCE_S)
    letters = read_messages(kafka, names.dead_letters, DeadLetter, undecodable=ignore, patience_s=PATIENCE_S)
    async with aclosing(results):
        async for _, result in results:
            if result.origin.topic == names.chunks:
                found[result.origin.partition][result.origin.offset] = _shortened(result.record_id)
    async with aclosing(letters):
        async for _, letter in letters:
            if letter.kind != "record" or letter.origin is None or letter.original.sha256 is None:
                continue  # the letter of a chunk: its result is the outcome
            if letter.origin.topic == names.chunks:
                found[letter.origin.partition][letter.origin.offset] = _shortened(letter.original.sha256)
    return found


def _refuse(record: Record, exc: DecodeError) -> None:
    raise OutcomesError(
        f"{record.topic}, partition {record.partition}, offset {record.offset}: {exc}. It does not tell which chunk it "
        "is the result of"
    ) from exc


def _identity(record: Record) -> Identity:
    try:
        chunk = decode(Chunk, record.value)
    except DecodeError:
        return _shortened(sha256(record.value or b"").hexdigest())
    return _shortened(record_id(chunk.chunk_id, chunk.generation, chunk.attempt))


def _shortened(hexadecimal: str) -> Identity:
    return int(hexadecimal[:16], 16)


async def _describe(kafka: KafkaSettings, names: TopicNames, outcomes: Outcomes) -> list[Partition]:
    """With a group id, for the requests, but never in the group."""
    consumer: AIOKafkaConsumer = make_consumer(kafka, group_id=names.group)
    await start_patiently(consumer, kafka, patience_s=PATIENCE_S)
    try:
        places = [TopicPartition(names.chunks, n) for n in sorted(await topic_partitions(consumer, names.chunks))]
        firsts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        return [
            Partition(
                number=place.partition,
                first=firsts[place],
                end=ends[place],
                committed=await committed_point(consumer, place),
                outcomes=outcomes.get(place.partition, {}),
            )
            for place in places
        ]
    finally:
        await stop_reading(consumer)
