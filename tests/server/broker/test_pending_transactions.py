"""The version of Kafka that we pin ends every transaction that it has decided, also when it dies in between.

4.3.0 and 4.3.1 do not (KAFKA-20734): where partitions have one copy, a broker that dies between its decision and the
markers in the partitions forgets the markers when it comes up. What was aborted is committed by its writer's next
transaction then, and read: this test fails with them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from configs.settings import Settings, load_settings
from messaging.connection import admin_client, discard, make_transactional_producer, start_patiently
from messaging.reading import read_to_end
from server.broker.node import Broker

TOPIC = "decided"
WRITERS = 60


@asynccontextmanager
async def writers(settings: Settings) -> AsyncIterator[list[AIOKafkaProducer]]:
    """One with each transactional id; the start of a second one with an id settles what the first left open."""
    made = [make_transactional_producer(settings.kafka, f"writer-{number}") for number in range(WRITERS)]
    try:
        await asyncio.gather(*(start_patiently(producer, settings.kafka) for producer in made))
        yield made
    finally:
        await asyncio.gather(*map(discard, made))


async def write(producers: list[AIOKafkaProducer], text: bytes) -> None:
    """A record of each producer, in a transaction that stays open."""
    for producer in producers:
        await producer.begin_transaction()
    await asyncio.gather(*(producer.send_and_wait(TOPIC, text) for producer in producers))


async def abort_and_kill(broker: Broker, producers: list[AIOKafkaProducer]) -> None:
    """The broker dies when the first transaction has been ended, with others decided and not ended."""
    aborting = [asyncio.ensure_future(producer.abort_transaction()) for producer in producers]
    await asyncio.wait(aborting, return_when=asyncio.FIRST_COMPLETED)
    broker.kill()
    for each in aborting:
        each.cancel()
    await asyncio.gather(*aborting, return_exceptions=True)


async def test_what_was_aborted_stays_so_when_the_broker_dies(tmp_path: Path) -> None:
    with Broker(data_dir=tmp_path) as broker:
        settings = load_settings({"bootstrap_servers": broker.bootstrap_servers}, environ={})
        async with admin_client(settings.kafka) as admin:
            await admin.create_topics([NewTopic(TOPIC, 4, 1)])
        async with writers(settings) as producers:
            await write(producers, b"aborted")
            await abort_and_kill(broker, producers)
        broker.start()
        async with writers(settings) as producers:
            await write(producers, b"committed")
            await asyncio.gather(*(producer.commit_transaction() for producer in producers))
        found = [record.value async for record in read_to_end(settings.kafka, TOPIC, through_pending=True)]
        assert found == [b"committed"] * WRITERS
