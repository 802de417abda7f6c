import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiokafka import AIOKafkaProducer

from configs.settings import Settings
from messaging.connection import make_transactional_producer
from messaging.follow import Follower, Offsets, follow
from messaging.topics import ensure_topics
from schemas import TopicNames


@asynccontextmanager
async def producing(settings: Settings, name: str = "test") -> AsyncIterator[AIOKafkaProducer]:
    await ensure_topics(settings.kafka, patience_s=30)
    producer = make_transactional_producer(settings.kafka, f"{settings.kafka.namespace}.{name}")
    async with producer:
        yield producer


async def send(producer: AIOKafkaProducer, topic: str, values: list[bytes]) -> None:
    async with producer.transaction():
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)


@asynccontextmanager
async def reading(follower: Follower, into: list[bytes]) -> AsyncIterator[None]:
    task = asyncio.create_task(follower.run(lambda record: into.append(record.value)))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until_reached(follower: Follower, ends: Offsets | None = None) -> None:
    ends = ends or await follower.ends()
    async with asyncio.timeout(30):
        while not await follower.has_reached(ends):
            await asyncio.sleep(0.02)


async def test_records_come_once_and_in_order_as_they_are_written(make_settings):
    settings = make_settings(partitions=1)
    topic, values = TopicNames(settings.kafka.namespace).results, []
    async with producing(settings) as producer:
        await send(producer, topic, [b"1", b"2"])
        async with follow(settings.kafka, topic) as follower, reading(follower, values):
            await until_reached(follower)
            assert values == [b"1", b"2"]
            await send(producer, topic, [b"3"])
            await until_reached(follower)
            assert values == [b"1", b"2", b"3"]


async def test_what_was_aborted_is_neither_seen_nor_waited_for(make_settings):
    settings = make_settings(partitions=1)
    topic, values = TopicNames(settings.kafka.namespace).results, []
    async with producing(settings) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted", partition=0)
        await producer.abort_transaction()
        async with follow(settings.kafka, topic) as follower, reading(follower, values):
            await until_reached(follower)
    assert values == []


async def test_the_marker_behind_the_last_record_does_not_keep_it_from_the_end(make_settings):
    settings = make_settings(partitions=1)
    topic, values = TopicNames(settings.kafka.namespace).results, []
    async with producing(settings) as producer:
        await send(producer, topic, [b"1"])
        async with follow(settings.kafka, topic) as follower, reading(follower, values):
            await until_reached(follower)
            assert (await follower.ends(), follower.read) == ({0: 2}, {0: 1})


async def test_the_end_is_behind_what_another_writer_has_open(make_settings):
    """Given a commit that an open transaction hides, the end is reached once that has ended, and not before."""
    settings = make_settings(partitions=1)
    topic, values = TopicNames(settings.kafka.namespace).results, []
    async with producing(settings, "other") as other, producing(settings) as ours:
        await other.begin_transaction()
        await other.send_and_wait(topic, b"open", partition=0)
        await send(ours, topic, [b"ours"])
        async with follow(settings.kafka, topic) as follower, reading(follower, values):
            ends = await follower.ends()
            assert not await follower.has_reached(ends)
            await other.abort_transaction()
            await until_reached(follower, ends)
    assert values == [b"ours"]
