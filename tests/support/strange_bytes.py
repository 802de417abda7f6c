"""Record batches that are damaged on a broker's disk, and those of strange clients."""

import asyncio
import struct
from pathlib import Path

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from configs.settings import Settings
from messaging.access import client_options
from schemas import TopicNames

CRC, CRC_AT = struct.Struct(">I"), 17
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


def batch_of(values: list[bytes], header: bytes) -> bytes:
    """As a client makes it that does not look at names: each record has one header."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
    name = "n" * len(header)
    for offset, value in enumerate(values):
        builder.append(offset, 0, b"k", value, [(name, b"1")])
    batch = bytearray(bytes(builder.build()).replace(name.encode(), header))
    CRC.pack_into(batch, CRC_AT, calc_crc32c(bytes(batch[CRC_AT + CRC.size :])))
    return bytes(batch)


async def produce(settings: Settings, partition: int, batch: bytes) -> None:
    async with AIOKafkaProducer(**client_options(settings.kafka)) as producer:
        topic = TopicNames(settings.kafka.namespace).chunks
        await producer.partitions_for(topic)
        async with asyncio.timeout(30):
            while await _send(producer, TopicPartition(topic, partition), batch):  # a new topic's leader may say no
                await asyncio.sleep(0.1)


async def _send(producer: AIOKafkaProducer, tp: TopicPartition, batch: bytes) -> int:
    """Return the broker's error code, 0 for none."""
    leader = producer.client.cluster.leader_for_partition(tp)
    request = ProduceRequest(None, -1, 10_000, [(tp.topic, [(tp.partition, batch)])])
    return (await producer.client.send(leader, request)).topics[0][1][0][1]
