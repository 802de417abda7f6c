"""Records that can't be read, on a real broker: bytes that changed on its disk, and records of strange clients."""

import asyncio
import logging
from collections import Counter

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.errors import KafkaError

from chaos.fake_model import FakeModel
from configs.settings import load_settings
from consumer.worker.errors import WorkerError
from consumer.worker.group import intake
from consumer.worker.group.client import GroupClient
from consumer.worker.group.intake import GroupIntake
from messaging.connection import admin_client
from messaging.topics import ensure_topics
from schemas import TopicNames, encode
from server.broker.node import Broker
from tests.consumer.worker.group.test_membership import letters_of, results_of, working
from tests.support.chunks import doubled, make_chunk, publish
from tests.support.strange_bytes import batch_of, damage, produce


@pytest.mark.parametrize("task", ["_fetch_task", "_coordination_task"])
async def test_a_client_that_has_given_up_ends_the_worker(make_settings, task):
    """The client's tasks only log why they end. Without them no record comes, and nobody would know."""
    settings = make_settings()
    await ensure_topics(settings.kafka)
    client = GroupClient(settings.kafka, session_timeout_ms=6000)
    await client.consumer.start()
    client.consumer.subscribe([client.names.chunks])
    owner = client.consumer._fetcher if task == "_fetch_task" else client.consumer._coordinator
    ended = asyncio.ensure_future(_failing())
    await asyncio.wait([ended])
    real = getattr(owner, task)
    setattr(owner, task, ended)
    try:
        with pytest.raises(WorkerError, match=r"disk on fire.*Start the worker again"):
            await GroupIntake(client, {}).read([], 0)
    finally:
        setattr(owner, task, real)
        await client.leave()


async def _failing() -> None:
    raise KafkaError("unexpected") from OSError("disk on fire")


async def test_names_of_headers_may_be_any_bytes(make_settings, monkeypatch):
    """Given a batch in the middle of others, of two chunks and a record that is none."""
    monkeypatch.setattr(intake, "RETRY_S", 0.2)
    async with FakeModel().serve() as server:
        settings = make_settings(model_urls=server.url, cache=False, session_timeout_ms=6000, drain_s=1)
        await publish(settings, [make_chunk(f"Before {i}.", i) for i in range(5)], partition=0)
        values = [encode(make_chunk("Within.", 5)), b"no chunk", encode(make_chunk("Within, too.", 6))]
        await produce(settings, 0, batch_of(values, b"caf\xe9"))
        await publish(settings, [make_chunk(f"Behind {i}.", 7 + i) for i in range(5)], partition=0)
        await publish(settings, [make_chunk(f"Beside {i}.", 20 + i) for i in range(5)], partition=1)
        async with working(settings):
            results = await results_of(settings, 17)
            letters = await letters_of(settings)
    assert doubled([result.record_id for result in results]) == []
    assert sorted(result.chunk.index for result in results) == [*range(12), *range(20, 25)]
    offsets = {result.chunk.index: result.origin.offset for result in results}
    assert [(letter.error_class, letter.headers, letter.origin.offset) for letter in letters] == [
        ("undecodable", {"caf\ufffd": "1"}, offsets[5] + 1)
    ]
    assert offsets[6] == offsets[5] + 2


async def test_a_damaged_batch_holds_up_its_partition_and_loses_nothing_of_others(tmp_path, monkeypatch, caplog):
    """Given a batch that is damaged, when its records are given up, its partition goes on behind it."""
    monkeypatch.setattr(intake, "RETRY_S", 0.2)
    caplog.set_level(logging.INFO, intake.__name__)

    async def told(level: int) -> list[str]:
        """Waits for messages of the intake. On a busy machine other loggers report errors too, as of a late heartbeat."""
        async with asyncio.timeout(30):
            while True:
                found = [each for each in caplog.records if each.name == intake.__name__ and each.levelno == level]
                if found:
                    return [record.getMessage() for record in found]
                await asyncio.sleep(0.01)

    async with FakeModel(latency_s=0.005).serve() as server:
        with Broker(data_dir=tmp_path / "kafka") as broker:
            settings = load_settings(
                {
                    "bootstrap_servers": broker.bootstrap_servers,
                    "model_urls": server.url,
                    "cache": False,
                    "drain_s": 1,
                    "partitions": 3,
                }
            )
            chunks = TopicPartition(TopicNames(settings.kafka.namespace).chunks, 1)
            await publish(settings, [make_chunk(f"Before {i}.", i) for i in range(5)], partition=1)
            await publish(settings, [make_chunk(f"Rotten {i}.", 10 + i) for i in range(5)], partition=1)
            for number in (0, 2):
                good = [make_chunk(f"Good {number} {i}.", 100 + 1000 * number + i) for i in range(300)]
                await publish(settings, good, partition=number)
            (log,) = (tmp_path / "kafka").rglob(f"{chunks.topic}-{chunks.partition}/*.log")
            damage(log, 6)  # five records, a marker
            async with working(settings):
                results = await results_of(settings, 605)
                assert Counter(result.origin.partition for result in results) == {0: 300, 1: 5, 2: 300}
                (error,) = await told(logging.ERROR)
                assert f"partition 1 of {chunks.topic} can't be read from offset 5 on" in error
                await publish(settings, [make_chunk("Behind.", 20)], partition=1)
                async with admin_client(settings.kafka, patience_s=10) as admin:
                    await admin.delete_records({chunks: RecordsToDelete(before_offset=12)})
                results = await results_of(settings, 606)
            assert any("can be read again" in message for message in await told(logging.INFO))
            assert len(await told(logging.ERROR)) == 1
    assert doubled([result.record_id for result in results]) == []
