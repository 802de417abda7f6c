"""Where reading begins, and what it refuses, on a real broker."""

import asyncio
from dataclasses import replace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from consumer.sink import topic_reader as module
from consumer.sink.errors import ContinuityError, StartOverError
from consumer.sink.topic_reader import open_reader
from messaging.client_internals import connections_of, reading_task, refresh_metadata
from messaging.topics import cluster_id
from schemas import TopicNames, encode
from tests.support.outcomes import Publisher, make_document, make_result

RESULTS = [make_result(make_document("a.md"), index) for index in range(4)]


@pytest.fixture
async def settings(make_settings):
    """Two transactions of two records: offsets 0, 1, marker, 3, 4, marker."""
    settings = make_settings(partitions=1)
    async with Publisher(settings) as publisher:
        await publisher.publish(RESULTS[:2])
        await publisher.publish(RESULTS[2:])
    return settings


@pytest.fixture
def topic(settings):
    return TopicNames(settings.kafka.namespace).results


async def read(source, count: int) -> list[int]:
    offsets: list[int] = []
    while len(offsets) < count:
        offsets += [record.offset for record in await source.poll(0.5)]
    return offsets


async def test_reading_goes_on_after_the_last_record_on_disk(settings, topic):
    lasts = {TopicPartition(topic, 0): encode(RESULTS[1])}
    async with open_reader(settings.kafka, {topic: {0: 2}}, lasts) as source:
        assert await read(source, 2) == [3, 4]
    async with open_reader(settings.kafka, {topic: {}}, {}) as source:
        assert await read(source, 4) == [0, 1, 3, 4]
        while await source.positions(topic) != {0: 6}:  # behind the marker
            assert await source.poll(0.1) == []


@pytest.mark.parametrize("value", [encode(RESULTS[0]), None])
async def test_another_record_where_ours_was_is_refused(settings, topic, value):
    async with open_reader(settings.kafka, {topic: {0: 2}}, {TopicPartition(topic, 0): value}) as source:
        with pytest.raises(ContinuityError, match="another record at offset 1"):
            await read(source, 1)


async def test_a_marker_where_our_record_was_is_refused(settings, topic):
    async with open_reader(settings.kafka, {topic: {0: 3}}, {TopicPartition(topic, 0): encode(RESULTS[1])}) as source:
        with pytest.raises(ContinuityError, match="another record at offset 2"):
            await read(source, 1)


async def test_a_topic_that_is_shorter_than_the_disk_is_refused_after_a_while(settings, topic, monkeypatch):
    monkeypatch.setattr(module, "SETTLE_S", 0.2)
    with pytest.raises(ContinuityError, match="ends at offset 6, but up to 7 is on disk"):
        async with open_reader(settings.kafka, {topic: {0: 7}}, {}):
            pass
    with pytest.raises(ContinuityError, match="has 1 partitions"):
        async with open_reader(settings.kafka, {topic: {5: 1}}, {}):
            pass


async def test_a_failing_read_is_done_again_from_the_last_record_taken(settings, topic, monkeypatch):
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    async with open_reader(settings.kafka, {topic: {}}, {}) as source:
        original, calls = source.consumer.getmany, []

        async def failing(**kwargs):
            calls.append(kwargs)
            if len(calls) % 2:
                raise KafkaError("planted")
            return await original(timeout_ms=500, max_records=1)

        monkeypatch.setattr(source.consumer, "getmany", failing)
        assert await read(source, 4) == [0, 1, 3, 4]


async def test_a_client_that_has_given_up_is_noticed(settings, topic):
    async with open_reader(settings.kafka, {topic: {}}, {}) as source:
        reading_task(source.consumer).cancel()
        await reading_task(source.consumer)
        with pytest.raises(StartOverError, match="given up"):
            await source.poll(0.1)


async def test_partitions_that_were_added_are_noticed(settings, topic):
    from aiokafka.admin import NewPartitions

    from messaging.connection import admin_client

    async with open_reader(settings.kafka, {topic: {}}, {}) as source:
        async with admin_client(settings.kafka) as admin:
            await admin.create_partitions({topic: NewPartitions(2)})
        with pytest.raises(StartOverError, match="more partitions"):
            async with asyncio.timeout(60):
                while True:  # the broker that tells knows of them a moment later than the controller
                    await refresh_metadata(source.consumer)
                    await source.poll(0.1)


async def test_a_new_connection_has_the_last_record_compared(settings, topic):
    async with open_reader(settings.kafka, {topic: {}}, {}, cluster=await cluster_id(settings.kafka)) as source:
        assert await read(source, 4) == [0, 1, 3, 4]
        for connection in connections_of(source.consumer):
            connection.close()
        async with Publisher(settings) as publisher:
            await publisher.publish(RESULTS[:1])
        async with asyncio.timeout(60):
            assert await read(source, 1) == [6]
        place = TopicPartition(topic, 0)
        assert not source.lasts
        source._taken_last[place] = replace(source._taken_last[place], value=b"another")
        for connection in connections_of(source.consumer):
            connection.close()
        async with Publisher(settings) as publisher:
            await publisher.publish(RESULTS[:1])
        with pytest.raises(ContinuityError, match="another record at offset 6"):
            async with asyncio.timeout(60):
                await read(source, 1)


async def test_another_cluster_is_refused_at_the_first_records(settings, topic):
    async with open_reader(settings.kafka, {topic: {}}, {}, cluster="other") as source:
        with pytest.raises(ContinuityError, match="was of other"):
            await read(source, 1)
