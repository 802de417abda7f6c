"""Commits rebuilt points, by the protocol of a take-over: whoever else has to do with a partition is fenced first."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from configs.sections import KafkaSettings
from consumer.rebuild.errors import RebuildError, WorkersRunningError
from consumer.rebuild.points import Rebuilt
from consumer.rebuild.survey import PATIENCE_S, survey
from messaging.access import denial
from messaging.committed import commit_with
from messaging.connection import (
    PRODUCER_FAILED,
    BrokerUnreachableError,
    admin_client,
    discard,
    make_consumer,
    make_transactional_producer,
    start_patiently,
    stop_reading,
)
from messaging.groups import VACANT, GroupDescription, describe_group
from messaging.reading import topic_partitions
from schemas import TopicNames

RETRY_S = 0.2
AT_ONCE = 16
log = logging.getLogger(__name__)


async def look(kafka: KafkaSettings) -> list[Rebuilt]:
    """What `restore` would find. Raises RebuildError."""
    await refuse_members(kafka)
    return await survey(kafka)


async def restore(kafka: KafkaSettings) -> list[Rebuilt]:
    """Survey, and commit where it is needed; what was found. A partition is restored whole or not at all.

    Raises RebuildError; WorkersRunningError also when a worker starts meanwhile.
    """
    names = TopicNames(kafka.namespace)
    await refuse_members(kafka)
    async with _fenced(kafka, names) as producers:
        found = await survey(kafka)
        await refuse_members(kafka)
        for rebuilt in found:
            if rebuilt.needed:
                await _commit(producers[rebuilt.partition.number], rebuilt, names)
    return found


async def refuse_members(kafka: KafkaSettings) -> None:
    """Raises WorkersRunningError unless the group is empty."""
    group = TopicNames(kafka.namespace).group
    try:
        async with admin_client(kafka, patience_s=PATIENCE_S) as admin, asyncio.timeout(PATIENCE_S):
            found = await _described(kafka, admin, group)
    except TimeoutError:
        raise BrokerUnreachableError(
            f"group {group}: its coordinator does not answer. A broker that has just started needs a while; try again"
        ) from None
    if found.state not in VACANT:
        raise WorkersRunningError(
            f"group {group} has {len(found.members)} members: their offsets are in use. Stop all workers (a killed one "
            "leaves after --session-timeout-ms), and try again"
        )


async def _described(kafka: KafkaSettings, admin: AIOKafkaAdminClient, group: str) -> GroupDescription:
    """Returns the group as soon as its coordinator describes it. Raises AccessError and RebuildError."""
    while True:
        try:
            found = await describe_group(admin, group)
        except KafkaError as exc:
            log.debug("group %s can not be described yet: %r", group, exc)
        else:
            if found.error is None:
                return found
            if found.error is GroupAuthorizationFailedError:
                raise denial(kafka, "READ", f"group {group}")
            if not found.error.retriable:
                raise RebuildError(f"group {group} can't be looked at: {found.error.__name__}")
        await asyncio.sleep(RETRY_S)


@asynccontextmanager
async def _fenced(kafka: KafkaSettings, names: TopicNames) -> AsyncIterator[dict[int, AIOKafkaProducer]]:
    """A producer for each partition, with its id. Open transactions of others are aborted by that."""
    slots = asyncio.Semaphore(AT_ONCE)
    producers: dict[int, AIOKafkaProducer] = {}

    async def start(number: int) -> None:
        async with slots:
            producer = make_transactional_producer(kafka, names.worker_id(number))
            stack.push_async_callback(discard, producer)
            await start_patiently(producer, kafka, patience_s=PATIENCE_S)
            producers[number] = producer

    async with AsyncExitStack() as stack:
        await asyncio.gather(*(start(number) for number in await _input_partitions(kafka, names)))
        yield producers


async def _input_partitions(kafka: KafkaSettings, names: TopicNames) -> set[int]:
    consumer = make_consumer(kafka)
    await start_patiently(consumer, kafka, patience_s=PATIENCE_S)
    try:
        return await topic_partitions(consumer, names.chunks)
    finally:
        await stop_reading(consumer)


async def _commit(producer: AIOKafkaProducer, rebuilt: Rebuilt, names: TopicNames) -> None:
    number, point = rebuilt.partition.number, rebuilt.point
    try:
        await producer.begin_transaction()
        await commit_with(producer, names.group, TopicPartition(names.chunks, number), point)
        await producer.commit_transaction()
    except PRODUCER_FAILED as exc:
        raise WorkersRunningError(
            f"partition {number} could not be committed ({exc!r}): a worker has started, or the broker went away. "
            "Partitions before it are restored. Stop all workers and run this again"
        ) from exc
