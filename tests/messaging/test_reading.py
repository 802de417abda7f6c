"""Topics read to their end, on a real broker whose disk has damage, and with what strange clients write."""

from contextlib import aclosing

import pytest

from configs.settings import Settings, load_settings
from messaging.reading import UnreadableError, read_to_end
from messaging.record import Record
from schemas import TopicNames
from server.broker.node import Broker
from tests.support.chunks import make_chunk, publish
from tests.support.strange_bytes import batch_of, damage, produce


async def all_read(settings: Settings) -> list[Record]:
    async with aclosing(read_to_end(settings.kafka, TopicNames(settings.kafka.namespace).chunks)) as records:
        return [record async for record in records]


def chunks(name: str, count: int) -> list:
    return [make_chunk(f"{name} {i}.", i) for i in range(count)]


async def test_names_of_headers_may_be_any_bytes(make_settings):
    """Given a batch in the middle of others, all is read once, in the order of each partition."""
    settings = make_settings()
    await publish(settings, chunks("Before", 5), partition=0)
    await produce(settings, 0, batch_of([b"within", b"within, too"], b"caf\xe9"))
    await publish(settings, chunks("Behind", 700), partition=0)
    await produce(settings, 0, batch_of([b"last"], b"caf\xe9"))
    await publish(settings, chunks("Beside", 700), partition=1)
    read = await all_read(settings)
    assert len(read) == 5 + 2 + 700 + 1 + 700
    places = [(record.partition, record.offset) for record in read]
    assert len(set(places)) == len(places)
    for number in (0, 1):
        offsets = [offset for partition, offset in places if partition == number]
        assert offsets == sorted(offsets)
    assert [record.headers for record in read if record.headers] == [(("caf\ufffd", b"1"),)] * 3


async def test_a_damaged_batch_is_named_with_its_place(tmp_path):
    with Broker(data_dir=tmp_path / "kafka") as broker:
        settings = load_settings({"bootstrap_servers": broker.bootstrap_servers, "partitions": 2})
        topic = TopicNames(settings.kafka.namespace).chunks
        await publish(settings, chunks("Before", 5), partition=1)
        await publish(settings, chunks("Rotten", 5), partition=1)
        await publish(settings, chunks("Good", 50), partition=0)
        (log,) = (tmp_path / "kafka").rglob(f"{topic}-1/*.log")
        damage(log, 6)  # five records, a marker
        with pytest.raises(
            UnreadableError, match=rf"partition 1 of {topic} can't be read from offset 5 on.*troubleshoot"
        ):
            await all_read(settings)
