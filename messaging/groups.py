"""A consumer group as its coordinator describes it: state, members, committed points. Asked from outside the group."""

from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code

from messaging.client_internals import NONE_COMMITTED, assigned_partitions
from messaging.committed import CommitPoint

VACANT = ("Empty", "Dead")
"""States of a group without members; Dead also means that there is no such group."""


@dataclass(frozen=True, slots=True)
class GroupMember:
    """`member` is the id that the coordinator gave it. It has no partitions while the group rebalances."""

    member: str
    host: str
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GroupDescription:
    """`state` is as Kafka calls it: Stable, PreparingRebalance, Empty, … With an `error` the rest means nothing."""

    state: str
    members: tuple[GroupMember, ...]
    error: type[KafkaError] | None = None


async def describe_group(admin: AIOKafkaAdminClient, group: str) -> GroupDescription:
    """Ask the group's coordinator once. Raises KafkaError when it does not answer."""
    (response,) = await admin.describe_consumer_groups([group])
    code, _, state, _, _, members, *_ = response.groups[0]
    found = tuple(
        GroupMember(member_id, host.lstrip("/"), tuple(sorted(tp.partition for tp in assigned_partitions(assignment))))
        for member_id, _, host, _, assignment, *_ in members
    )
    return GroupDescription(state, found, for_code(code) if code else None)


async def committed_points(admin: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, CommitPoint]:
    """Return the committed points of all partitions that have one. Raises KafkaError."""
    committed = await admin.list_consumer_group_offsets(group)
    return {
        tp: CommitPoint(found.offset, found.metadata or "")
        for tp, found in committed.items()
        if found.offset != NONE_COMMITTED
    }
