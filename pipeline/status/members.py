"""What the brokers know of the workers: who is a member, what each answers, what of it is unfinished.

Asked of Kafka, so that it is true whatever machines the workers are on. A chunk is unfinished as the committed offsets
and their metadata say; consumer lag would count transaction markers too, and finished chunks behind a slow one.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError
from aiokafka.structs import OffsetAndMetadata

from configs.sections import KafkaSettings
from messaging.access import denial
from messaging.client_internals import assigned_partitions
from messaging.commit_point import CommitPoint, MetadataError, decode
from messaging.connection import admin_client, make_consumer, start_patiently, stop_reading
from messaging.reading import assign_all, read_to_end
from schemas import TopicNames

COUNTED = 2_000
"""Offsets of qa.chunks that are read to be counted; where there are more, their number is the estimate."""
STABLE = "Stable"


@dataclass(frozen=True, slots=True)
class Worker:
    """A member of the group."""

    member: str
    host: str
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Backlog:
    """Of one partition of qa.chunks. Not `exact`: an upper bound, transaction markers included."""

    partition: int
    unfinished: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Members:
    """`state` as Kafka calls it: Stable, PreparingRebalance, Empty, …"""

    state: str
    workers: tuple[Worker, ...]
    backlogs: tuple[Backlog, ...]


async def look_at_members(kafka: KafkaSettings, *, patience_s: float | None = None) -> Members:
    """Costs a few requests, and reading at most `COUNTED` records of qa.chunks. Raises AccessError."""
    names = TopicNames(kafka.namespace)
    try:
        async with admin_client(kafka, patience_s=patience_s) as admin:
            state, workers = await _workers(admin, names.group)
            committed = await admin.list_consumer_group_offsets(names.group)
    except GroupAuthorizationFailedError as exc:
        raise denial(kafka, "DESCRIBE", f"group {names.group}") from exc
    return Members(state, workers, await _backlogs(kafka, names.chunks, committed))


async def _workers(admin: AIOKafkaAdminClient, group: str) -> tuple[str, tuple[Worker, ...]]:
    [response] = await admin.describe_consumer_groups([group])
    _, _, state, _, _, members, *_ = response.groups[0]
    workers = tuple(
        Worker(member, host.lstrip("/"), _partitions(assignment)) for member, _, host, _, assignment, *_ in members
    )
    return state, tuple(sorted(workers, key=lambda worker: (worker.partitions, worker.member)))


def _partitions(assignment: bytes) -> tuple[int, ...]:
    """Empty while the group rebalances."""
    if not assignment:
        return ()
    return tuple(sorted(tp.partition for tp in assigned_partitions(assignment)))


async def _backlogs(
    kafka: KafkaSettings, topic: str, committed: Mapping[TopicPartition, OffsetAndMetadata]
) -> tuple[Backlog, ...]:
    consumer = make_consumer(kafka)
    try:
        await start_patiently(consumer, kafka)
        partitions = await assign_all(consumer, topic)
        beginnings, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    finally:
        await stop_reading(consumer)
    points = {tp: unfinished_of(committed.get(tp), beginnings[tp]) for tp in partitions}
    ahead = {tp.partition: max(0, ends[tp] - following) for tp, (_, following) in points.items()}
    counted = {number for number, count in ahead.items() if count} if sum(ahead.values()) <= COUNTED else set()
    starts = {tp.partition: points[tp][1] if tp.partition in counted else ends[tp] for tp in partitions}
    found = await _count(kafka, topic, starts) if counted else Counter[int]()
    return tuple(
        Backlog(
            tp.partition,
            open_
            + (ahead[tp.partition] if ahead[tp.partition] and tp.partition not in counted else found[tp.partition]),
            exact=tp.partition in counted or not ahead[tp.partition],
        )
        for tp, (open_, _) in points.items()
    )


def unfinished_of(committed: OffsetAndMetadata | None, beginning: int) -> tuple[int, int]:
    """How many delivered records are unfinished, and the offset from which on none was delivered."""
    if committed is None or committed.offset < 0:
        return 0, beginning
    try:
        unfinished, following = decode(CommitPoint(committed.offset, committed.metadata or ""))
    except MetadataError:  # another tool's: a worker would stop at it
        return 0, committed.offset
    return len(unfinished), following


async def _count(kafka: KafkaSettings, topic: str, starts: Mapping[int, int]) -> Counter[int]:
    async with aclosing(read_to_end(kafka, topic, start=starts)) as records:
        return Counter([record.partition async for record in records])
