"""Transactions that go wrong, on a real broker."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError, ProducerFenced

from ledger.entries import Ledger
from messaging import connection
from messaging.connection import make_transactional_producer
from messaging.reading import read_to_end
from messaging.topics import ensure_topics
from producer.alarm import Alarm
from producer.app import run
from producer.errors import FencedError, PublishError
from producer.publishing.batches import Batch, of_entries
from producer.publishing.ledger_topic import load_ledger
from producer.publishing.transactions import Publisher, _Watch, started_producer
from schemas import FileState, TopicNames
from tests.conftest import MakeSettings
from tests.ledger.make import entry
from tests.producer.kafka import kinds, published, write_all


class Faulty:
    """A real producer whose named call does its work and then fails, once."""

    def __init__(self, producer: AIOKafkaProducer, faults: list[str]) -> None:
        self._producer = producer
        self._faults = faults

    def __getattr__(self, name: str):
        real = getattr(self._producer, name)
        if not self._faults or self._faults[0] != name:
            return real

        async def fail(*args: object, **options: object) -> object:
            await real(*args, **options)
            self._faults.clear()
            raise KafkaConnectionError(f"connection lost after {name}")

        return fail


@pytest.mark.parametrize("call", ["begin_transaction", "send", "commit_transaction"])
async def test_after_an_error_it_goes_on_with_what_kafka_has(
    call: str, make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(input_dir=tmp_path, settle_ms=0)
    write_all(tmp_path, {"a.txt": "alpha", "b.txt": "beta"})
    faults = [call]
    monkeypatch.setattr(
        connection, "make_transactional_producer", lambda *args: Faulty(make_transactional_producer(*args), faults)
    )
    monkeypatch.setattr("producer.app.RETRY_S", 0.05)
    await run(settings, Alarm(), once=True)
    found = await published(settings)
    assert not faults
    assert sorted(chunk.text for chunk in found.chunks) == ["alpha", "beta"]
    assert kinds(found.entries) == ["complete", "complete"]


async def test_an_error_that_lasts_ends_the_watcher(
    make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise MessageSizeTooLargeError("too large")

    write_all(tmp_path, {"a.txt": "alpha"})
    monkeypatch.setattr(Publisher, "_transaction", refuse)
    with pytest.raises(PublishError, match="2 records failed"):
        await run(make_settings(input_dir=tmp_path, settle_ms=0), Alarm(), once=True)


class Fenced:
    async def begin_transaction(self) -> None:
        raise ProducerFenced


@pytest.mark.parametrize(
    ("seconds", "suspended", "error"), [(1, False, FencedError), (11, True, FencedError), (11, False, PublishError)]
)
async def test_only_a_transaction_that_was_open_too_long_is_tried_again(
    seconds: float, suspended: bool, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Watch, "seconds", property(lambda _: seconds))
    monkeypatch.setattr(_Watch, "suspended", property(lambda _: suspended, lambda *_: None), raising=False)
    batch = Batch(records=[("t", b"k", b"v")])
    with pytest.raises(error):
        await Publisher(Fenced(), Ledger("src")).publish(batch)


async def test_the_ledger_is_read_behind_the_open_transaction_of_another_source(make_settings: MakeSettings) -> None:
    settings = make_settings(partitions=1)
    names = TopicNames(settings.kafka.namespace)
    await ensure_topics(settings.kafka)
    async with started_producer(settings.kafka, "src") as producer, started_producer(settings.kafka, "other") as other:
        await other.begin_transaction()
        await (await other.send(names.files, b"open", b"key"))
        (batch,) = of_entries([entry(FileState.COMPLETE)], names)
        await Publisher(producer, Ledger("src")).publish(batch)
        async with aclosing(read_to_end(settings.kafka, names.files)) as records:
            assert [record async for record in records] == []  # committed, and hidden
        reading = asyncio.create_task(load_ledger(settings.kafka, "src"))
        await asyncio.wait((reading,), timeout=1)
        assert not reading.done()
        await other.abort_transaction()
        assert (await reading).state("a.txt") is FileState.COMPLETE
