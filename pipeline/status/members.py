"""What the brokers know of the workers: who is a member, what each answers, what of it is unfinished.

Asked of Kafka, so that it is true whatever machines the workers are on. A chunk is unfinished as the committed offsets
and their metadata say; consumer lag would count transaction markers too, and finished chunks behind a slow one.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError

from configs.sections import KafkaSettings
from messaging.access import denial
from messaging.committed import CommitPoint, MetadataError
from messaging.connection import admin_client, open_consumer
from messaging.groups import GroupMember, committed_points, describe_group
from messaging.reading import assign_all, read_to_end
from schemas import TopicNames

COUNTED = 2_000
"""Offsets of qa.chunks that are read to be counted; where there are more, their number is the estimate."""


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
    workers: tuple[GroupMember, ...]
    backlogs: tuple[Backlog, ...]


async def look_at_members(kafka: KafkaSettings, *, patience_s: float | None = None) -> Members:
    """Costs a few requests, and reading at most `COUNTED` records of qa.chunks. Raises AccessError."""
    names = TopicNames(kafka.namespace)
    try:
        async with admin_client(kafka, patience_s=patience_s) as admin:
            group = await describe_group(admin, names.group)
            committed = await committed_points(admin, names.group)
    except GroupAuthorizationFailedError as exc:
        raise denial(kafka, "DESCRIBE", f"group {names.group}") from exc
    workers = sorted(group.members, key=lambda member: (member.partitions, member.member))
    return Members(group.state, tuple(workers), await _backlogs(kafka, names.chunks, committed))


async def _backlogs(
    kafka: KafkaSettings, topic: str, committed: Mapping[TopicPartition, CommitPoint]
) -> tuple[Backlog, ...]:
    async with open_consumer(kafka) as consumer:
        partitions = await assign_all(consumer, topic)
        beginnings, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
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


def unfinished_of(committed: CommitPoint | None, beginning: int) -> tuple[int, int]:
    """How many delivered records are unfinished, and the offset from which on none was delivered."""
    if committed is None:
        return 0, beginning
    try:
        unfinished, following = committed.decode()
    except MetadataError:  # another tool's: a worker would stop at it
        return 0, committed.offset
    return len(unfinished), following


async def _count(kafka: KafkaSettings, topic: str, starts: Mapping[int, int]) -> Counter[int]:
    async with aclosing(read_to_end(kafka, topic, start=starts)) as records:
        return Counter([record.partition async for record in records])
