"""Commits rebuilt points as a worker takes a partition over: it first fences every other owner of the partition."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from configs.sections import KafkaSettings
from consumer.rebuild.points import RebuildError, Rebuilt
from consumer.rebuild.survey import survey
from messaging.access import denial
from messaging.committed import commit_with
from messaging.connection import (
    PATIENCE_S,
    PRODUCER_FAILED,
    RETRY_S,
    BrokerUnreachableError,
    admin_client,
    open_producer,
)
from messaging.groups import VACANT, GroupDescription, describe_group
from messaging.reading import count_partitions
from schemas import TopicNames

AT_ONCE = 16
log = logging.getLogger(__name__)


async def look(kafka: KafkaSettings) -> list[Rebuilt]:
    """Return what `restore` would find. Raises RebuildError."""
    await refuse_members(kafka)
    return await survey(kafka)


async def restore(kafka: KafkaSettings) -> list[Rebuilt]:
    """Survey the partitions, commit the points that are needed, and return what was found.

    A partition is restored whole or not at all. Raises RebuildError, also if a worker starts meanwhile.
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
    """Raise RebuildError unless the group is empty."""
    group = TopicNames(kafka.namespace).group
    try:
        async with admin_client(kafka, patience_s=PATIENCE_S) as admin, asyncio.timeout(PATIENCE_S):
            found = await _described(kafka, admin, group)
    except TimeoutError:
        raise BrokerUnreachableError(
            f"group {group}: its coordinator does not answer. A broker that has just started needs a while; try again"
        ) from None
    if found.state not in VACANT:
        raise RebuildError(
            f"group {group} has {len(found.members)} members: their offsets are in use. Stop all workers (a killed one "
            "leaves after --session-timeout-ms), and try again"
        )


async def _described(kafka: KafkaSettings, admin: AIOKafkaAdminClient, group: str) -> GroupDescription:
    """Return the group as soon as its coordinator describes it. Raises AccessError and RebuildError."""
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
    """Yield a producer for each partition, with its id. Their start aborts the open transactions of others."""
    slots = asyncio.Semaphore(AT_ONCE)
    producers: dict[int, AIOKafkaProducer] = {}

    async def start(number: int) -> None:
        async with slots:
            opened = open_producer(kafka, names.worker_id(number), patience_s=PATIENCE_S)
            producers[number] = await stack.enter_async_context(opened)

    async with AsyncExitStack() as stack:
        count = await count_partitions(kafka, names.chunks, patience_s=PATIENCE_S)
        await asyncio.gather(*map(start, range(count)))
        yield producers


async def _commit(producer: AIOKafkaProducer, rebuilt: Rebuilt, names: TopicNames) -> None:
    number, point = rebuilt.partition.number, rebuilt.point
    try:
        await producer.begin_transaction()
        await commit_with(producer, names.group, TopicPartition(names.chunks, number), point)
        await producer.commit_transaction()
    except PRODUCER_FAILED as exc:
        raise RebuildError(
            f"partition {number} could not be committed ({exc!r}): a worker has started, or the broker went away. "
            "Partitions before it are restored. Stop all workers and run this again"
        ) from exc
