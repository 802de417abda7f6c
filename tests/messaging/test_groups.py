"""A group as its coordinator describes it, on a real broker."""

import asyncio

from aiokafka import TopicPartition

from messaging.committed import CommitPoint, commit_with
from messaging.connection import admin_client, make_consumer, make_transactional_producer
from messaging.groups import VACANT, committed_points, describe_group
from messaging.topics import ensure_topics
from schemas import TopicNames


async def test_a_member_is_named_with_its_partitions(make_settings):
    kafka = make_settings(partitions=2).kafka
    await ensure_topics(kafka)
    group = kafka.namespace
    async with admin_client(kafka) as admin:
        assert (await describe_group(admin, group)).state in VACANT
        async with make_consumer(kafka, group_id=group) as consumer:
            consumer.subscribe([TopicNames(kafka.namespace).chunks])
            async with asyncio.timeout(30):
                while (found := await describe_group(admin, group)).state != "Stable":
                    await asyncio.sleep(0.1)
            (member,) = found.members
            assert member.partitions == (0, 1)
            assert member.host[0].isdigit()


async def test_partitions_without_a_committed_point_are_left_out(make_settings):
    kafka = make_settings(partitions=2).kafka
    await ensure_topics(kafka)
    group, tp = kafka.namespace, TopicPartition(TopicNames(kafka.namespace).chunks, 1)
    point = CommitPoint.of([5, 7], following=9)
    producer = make_transactional_producer(kafka, f"{group}.test")
    async with producer, producer.transaction():
        await commit_with(producer, group, tp, point)
    async with admin_client(kafka) as admin, asyncio.timeout(30):
        while not (found := await committed_points(admin, group)):
            await asyncio.sleep(0.1)
    assert found == {tp: point}
