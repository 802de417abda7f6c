"""The workers as Kafka knows them, on whatever machines: the group's members, their partitions, unfinished chunks.

Committed offsets and their metadata tell which chunks are unfinished. Consumer lag would also count transaction
markers, and finished chunks behind a slow one.
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
"""Most records of qa.chunks that are read to be counted. Where there are more, their offsets are the estimate."""


@dataclass(frozen=True, slots=True)
class PartitionBacklog:
    """The unfinished chunks of a partition; an upper bound with transaction markers where it is not `exact`."""

    partition: int
    unfinished: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Members:
    """The consumer group. `state` is Kafka's word: Stable, PreparingRebalance, Empty, …"""

    state: str
    workers: tuple[GroupMember, ...]
    backlogs: tuple[PartitionBacklog, ...]


async def look_at_members(kafka: KafkaSettings, *, patience_s: float | None = None) -> Members:
    """Asks Kafka for the group, and reads at most `COUNTED` records of qa.chunks. Raises AccessError."""
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
) -> tuple[PartitionBacklog, ...]:
    async with open_consumer(kafka) as consumer:
        partitions = await assign_all(consumer, topic)
        beginnings, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    points = {tp: unfinished_of(committed.get(tp), beginnings[tp]) for tp in partitions}
    ahead = Counter({tp.partition: max(0, ends[tp] - following) for tp, (_, following) in points.items()})
    found, exact = ahead, ahead.total() <= COUNTED
    if exact and ahead.total():
        starts = {tp.partition: ends[tp] - ahead[tp.partition] for tp in partitions}
        async with aclosing(read_to_end(kafka, topic, start=starts)) as records:
            found = Counter([record.partition async for record in records])
    return tuple(
        PartitionBacklog(tp.partition, open_ + found[tp.partition], exact=exact or not ahead[tp.partition])
        for tp, (open_, _) in points.items()
    )


def unfinished_of(committed: CommitPoint | None, beginning: int) -> tuple[int, int]:
    """Returns the number of unfinished records that were delivered, and the first offset that was not delivered."""
    if committed is None:
        return 0, beginning
    try:
        unfinished, following = committed.decode()
    except MetadataError:  # another tool committed it: a worker would stop there
        return 0, committed.offset
    return len(unfinished), following
