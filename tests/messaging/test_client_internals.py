"""A contract test for each private part of the Kafka client that we use: they fail where another version changes it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.structs import OffsetAndMetadata

from configs.settings import Settings
from messaging.access import client_options
from messaging.client_internals import (
    NO_OPERATIONS,
    NONE_COMMITTED,
    ROUND_ROBIN,
    BareClient,
    ask_for_topics,
    assigned_partitions,
    client_of,
    connections_of,
    coordination_task,
    failed_connections,
    fetch_committed,
    fetch_leniently,
    forget_coordinator,
    futures_of,
    knows_coordinator,
    look_up_coordinators,
    partitions_of,
    reading_task,
    refresh_metadata,
    sending_task,
    wait_for_coordinator,
)
from messaging.connection import admin_client, make_consumer, make_transactional_producer, start_patiently
from messaging.topics import ensure_topics
from schemas import TopicNames
from tests.support.strange_bytes import batch_of, produce


@pytest.fixture
async def settings(make_settings) -> Settings:
    settings = make_settings(partitions=2)
    await ensure_topics(settings.kafka)
    return settings


@pytest.fixture
def chunks(settings: Settings) -> str:
    return TopicNames(settings.kafka.namespace).chunks


@pytest.fixture
async def consumer(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer with a group, which has not joined it."""
    consumer = make_consumer(settings.kafka, group_id=settings.kafka.namespace)
    await start_patiently(consumer, settings.kafka)
    yield consumer
    await consumer.stop()


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    producer = make_transactional_producer(settings.kafka, f"{settings.kafka.namespace}.contract")
    await start_patiently(producer, settings.kafka)
    yield producer
    await producer.stop()


async def test_a_connection_that_fails_says_why(settings: Settings) -> None:
    servers = [*settings.kafka.brokers.split(","), "127.0.0.1:1"]
    [(where, error)] = [failed async for failed in failed_connections(servers, timeout_ms=5000)]
    assert where == "127.0.0.1:1"
    assert "Connect call failed" in str(error)


async def test_a_bare_client_finds_coordinators(settings: Settings) -> None:
    client = BareClient(**client_options(settings.kafka))
    try:
        await client.bootstrap()
        assert (await client.fetch_all_metadata()).brokers()
        await look_up_coordinators(client, settings.kafka.namespace)
    finally:
        await client.close()


async def test_connections_of_consumers_and_admin_clients(settings: Settings, consumer: AIOKafkaConsumer) -> None:
    assert isinstance(client_of(consumer), BareClient)
    async with admin_client(settings.kafka) as admin:
        assert isinstance(client_of(admin), BareClient)


async def test_a_connection_that_is_new_is_another_object(consumer: AIOKafkaConsumer, chunks: str) -> None:
    await partitions_of(consumer, chunks)
    before = connections_of(consumer)
    assert before
    for connection in before:
        connection.close()
    await partitions_of(consumer, chunks)
    after = connections_of(consumer)
    assert after
    assert not [each for each in after if any(each is known for known in before)]


async def test_topics_are_described_with_what_is_allowed(consumer: AIOKafkaConsumer, chunks: str) -> None:
    present, missing = await ask_for_topics(client_of(consumer), [chunks, f"{chunks}.none"])
    assert (present["topic"], present["error_code"], len(present["partitions"])) == (chunks, 0, 2)
    assert {partition["error_code"] for partition in present["partitions"]} == {0}
    assert present["authorized_operations"] not in (0, NO_OPERATIONS)
    assert missing["error_code"] == 3  # unknown topic: it was not made
    assert await partitions_of(consumer, f"{chunks}.none") == set()


async def test_metadata_of_a_topic_comes_before_it_is_subscribed(consumer: AIOKafkaConsumer, chunks: str) -> None:
    assert await partitions_of(consumer, chunks) == {0, 1}
    assert not consumer.partitions_for_topic(chunks)
    await refresh_metadata(consumer, chunks)
    assert consumer.partitions_for_topic(chunks) == {0, 1}


async def test_the_tasks_of_a_consumer_run_until_it_stops(settings: Settings, chunks: str) -> None:
    consumer = make_consumer(
        settings.kafka, group_id=settings.kafka.namespace, partition_assignment_strategy=[ROUND_ROBIN]
    )
    await start_patiently(consumer, settings.kafka)
    consumer.subscribe([chunks])
    async with asyncio.timeout(30):
        while not consumer.assignment():
            await asyncio.sleep(0.1)
    tasks = reading_task(consumer), coordination_task(consumer)
    assert all(isinstance(task, asyncio.Task) and not task.done() for task in tasks)
    await consumer.stop()
    assert all(task.done() for task in tasks)


async def test_a_coordinator_is_found_forgotten_and_found_again(settings: Settings, consumer: AIOKafkaConsumer) -> None:
    for _ in range(2):
        assert await wait_for_coordinator(consumer) == settings.kafka.namespace
        assert knows_coordinator(consumer)
        forget_coordinator(consumer)
        assert not knows_coordinator(consumer)


async def test_committed_offsets_come_with_their_metadata(
    settings: Settings, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, chunks: str
) -> None:
    committed, never = TopicPartition(chunks, 0), TopicPartition(chunks, 1)
    async with producer.transaction():
        offsets = {committed: OffsetAndMetadata(0, "1;0;")}
        await producer.send_offsets_to_transaction(offsets, settings.kafka.namespace)
    await wait_for_coordinator(consumer)
    async with asyncio.timeout(30):
        while (found := await fetch_committed(consumer, committed))[1] == NONE_COMMITTED:
            await asyncio.sleep(0.1)
    assert found == (0, 0, "1;0;")
    assert await fetch_committed(consumer, never) == (0, NONE_COMMITTED, "")


def test_an_assignment_names_its_partitions() -> None:
    assignment = ConsumerProtocolMemberAssignment(0, [("a", [0, 2]), ("b", [1])], b"").encode()
    assert assigned_partitions(assignment) == [TopicPartition("a", 0), TopicPartition("a", 2), TopicPartition("b", 1)]


async def test_the_futures_of_a_transaction_can_be_had(producer: AIOKafkaProducer, chunks: str) -> None:
    """Given a batch that is not yet sent, it has a future, and so has the end of the transaction."""
    assert not list(futures_of(producer))
    await producer.begin_transaction()
    sent = await producer.send(chunks, b"value", partition=0)
    futures = list(futures_of(producer))
    assert len(futures) == 2
    assert not any(future.done() for future in futures)
    await producer.commit_transaction()
    await asyncio.wait_for(asyncio.gather(sent, *futures), 30)


async def test_the_task_that_sends_ends_with_its_producer(settings: Settings) -> None:
    producer = make_transactional_producer(settings.kafka, f"{settings.kafka.namespace}.sender")
    assert sending_task(producer) is None
    await start_patiently(producer, settings.kafka)
    task = sending_task(producer)
    assert task is not None
    assert not task.done()
    await producer.stop()
    assert task.done()


async def test_header_names_that_are_not_utf_8_are_read(
    settings: Settings, consumer: AIOKafkaConsumer, chunks: str
) -> None:
    tp = TopicPartition(chunks, 1)
    await produce(settings, 1, batch_of([b"one", b"two", b"three"], b"caf\xe9"))
    consumer.assign([tp])
    await refresh_metadata(consumer)
    consumer.seek(tp, 0)
    records = await fetch_leniently(consumer, tp, 1, max_records=1)
    assert [(record.offset, record.value, record.headers) for record in records] == [
        (1, b"two", (("caf\ufffd", b"1"),))
    ]
    assert await consumer.position(tp) == 0
