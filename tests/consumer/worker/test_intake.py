"""What can't be read, on a real broker: bytes that have changed on its disk."""

import logging
import struct
from collections import Counter
from pathlib import Path

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from configs.settings import load_settings
from consumer.worker import intake
from messaging.connection import admin_client
from schemas import TopicNames
from server.broker import Broker
from tests.consumer.worker.test_group import results_of, working
from tests.fake_model import FakeModel
from tests.support.chunks import doubled, make_chunk, publish

HEAD = struct.Struct(">qi")
"""Of a record batch: its first offset, and the bytes that follow."""


def damage(log: Path, offset: int) -> None:
    """Flip a bit in the last record of the batch that begins at `offset`."""
    data, place = bytearray(log.read_bytes()), 0
    while place < len(data):
        first, length = HEAD.unpack_from(data, place)
        place += HEAD.size + length
        if first == offset:
            data[place - 3] ^= 1
            log.write_bytes(data)
            return
    raise AssertionError(f"no batch begins at {offset}")


async def test_a_damaged_batch_holds_up_its_partition_and_loses_nothing_of_others(tmp_path, monkeypatch, caplog):
    """Given a batch that is damaged, when its records are given up, its partition goes on behind it."""
    monkeypatch.setattr(intake, "RETRY_S", 0.2)
    caplog.set_level(logging.INFO, "consumer.worker.intake")
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
            chunks = TopicPartition(TopicNames(settings.namespace).chunks, 1)
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
                (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
                assert f"partition 1 of {chunks.topic} can't be read from offset 5 on" in told
                await publish(settings, [make_chunk("Behind.", 20)], partition=1)
                async with admin_client(settings, patience_s=10) as admin:
                    await admin.delete_records({chunks: RecordsToDelete(before_offset=12)})
                results = await results_of(settings, 606)
            assert "can be read again" in caplog.messages[-1]
            assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    assert doubled([result.record_id for result in results]) == []
