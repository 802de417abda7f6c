"""Reads from the topics which chunks there are, and which of them have an outcome."""

import asyncio
import time
from collections import defaultdict
from contextlib import aclosing
from hashlib import sha256

from aiokafka import TopicPartition

from configs.sections import KafkaSettings
from consumer.rebuild.points import Identity, Partition, RebuildError, Rebuilding, Rebuilt
from messaging.committed import committed_point
from messaging.connection import PATIENCE_S, RETRY_S, TRANSACTION_TIMEOUT_MS, open_consumer
from messaging.messages import ignore, read_messages
from messaging.reading import assign_all, has_open_transaction, read_to_end, topic_partitions
from messaging.record import Record
from schemas import Chunk, DeadLetter, DecodeError, Result, TopicNames, decode
from schemas.ids import record_id

SETTLED_S = TRANSACTION_TIMEOUT_MS / 1000 + 10
Outcomes = dict[int, dict[int, Identity]]
"""Identities by partition and offset of the chunk; each takes some 150 bytes of memory."""


async def survey(kafka: KafkaSettings) -> list[Rebuilt]:
    """Read the state of all input partitions, while no worker runs. Raises RebuildError, and changes nothing."""
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
    """Raise RebuildError where records were deleted from the topic, or where a writer may still add some."""
    async with open_consumer(kafka, patience_s=PATIENCE_S) as consumer:
        for place, first in (await consumer.beginning_offsets(await assign_all(consumer, topic))).items():
            if first > 0:
                raise RebuildError(
                    f"partition {place.partition} of {topic} begins at offset {first}: records were deleted from it, "
                    "so it does not tell what is done. Use a fresh --namespace"
                )
    deadline = time.monotonic() + SETTLED_S
    while await has_open_transaction(kafka, topic, patience_s=PATIENCE_S):
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
            origin, digest = letter.origin, letter.original.sha256  # the outcome of a chunk is its result
            if letter.kind == "record" and origin and digest and origin.topic == names.chunks:
                found[origin.partition][origin.offset] = _shortened(digest)
    return found


def _refuse(record: Record, exc: DecodeError) -> None:
    """Raise RebuildError for a result that can't be decoded."""
    raise RebuildError(
        f"{record.topic}, partition {record.partition}, offset {record.offset}: {exc}. It does not tell which chunk it "
        "is the result of"
    ) from exc


def _identity(record: Record) -> Identity:
    """Return the identity that the outcome of a record has, or would have."""
    try:
        chunk = decode(Chunk, record.value)
    except DecodeError:
        return _shortened(sha256(record.value or b"").hexdigest())
    return _shortened(record_id(chunk.chunk_id, chunk.generation, chunk.attempt))


def _shortened(hexadecimal: str) -> Identity:
    return int(hexadecimal[:16], 16)


async def _describe(kafka: KafkaSettings, names: TopicNames, outcomes: Outcomes) -> list[Partition]:
    """Describe the input partitions. The consumer's group id is for its requests; it never joins the group."""
    async with open_consumer(kafka, group_id=names.group, patience_s=PATIENCE_S) as consumer:
        numbers = sorted(await topic_partitions(consumer, names.chunks))
        places = [TopicPartition(names.chunks, number) for number in numbers]
        firsts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        return [
            Partition(n, firsts[tp], ends[tp], await committed_point(consumer, tp), outcomes.get(n, {}))
            for n, tp in zip(numbers, places, strict=True)
        ]
