"""Ends of clients whose broker takes nothing any more."""

import asyncio

import pytest
from aiokafka.client import AIOKafkaClient

from messaging import connection
from messaging.connection import discard, make_consumer, make_transactional_producer, stop_reading
from messaging.topics import ensure_topics
from schemas import TopicNames


@pytest.fixture
def frozen(monkeypatch):
    """A socket that is closed first sends what it has, and a frozen broker takes none of it."""

    async def never(client):
        await asyncio.Event().wait()

    monkeypatch.setattr(connection, "STOP_S", 0.2)
    return lambda: monkeypatch.setattr(AIOKafkaClient, "close", never)


async def test_a_producer_is_given_up(make_settings, frozen):
    settings = make_settings()
    await ensure_topics(settings.kafka)
    producer = make_transactional_producer(settings.kafka, f"{settings.kafka.namespace}.tests")
    await producer.start()
    await producer.begin_transaction()
    await producer.send(TopicNames(settings.kafka.namespace).chunks, b"open")
    frozen()
    async with asyncio.timeout(30):
        await discard(producer)
    producer._closed = True  # or its end would complain


async def test_a_consumer_is_given_up(make_settings, frozen):
    consumer = make_consumer(make_settings().kafka)
    await consumer.start()
    frozen()
    async with asyncio.timeout(30):
        assert not await stop_reading(consumer, within_s=0.2)
