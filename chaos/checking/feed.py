"""The input of a run: chunks, planted bad ones, and poison in transactions that are aborted.

As soon as a record is committed, its expected outcome is written to a file, one JSON line a record, for the checker.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from aiokafka import AIOKafkaProducer

from configs.settings import Settings
from messaging.connection import make_transactional_producer, start_patiently
from schemas import Chunk, Document, TopicNames, encode
from schemas.ids import chunk_id, content_key, document_id, record_id

CHUNKS_OF_A_DOCUMENT = 100
BATCH = 200
POISON_EVERY = 3
"""One transaction with poison is aborted after so many others."""
POISONS = 20


class Expected(StrEnum):
    """The outcome that a record of qa.chunks must have."""

    OK = "ok"
    EMPTY = "empty"
    FAILED = "failed"
    UNDECODABLE = "undecodable"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected outcome of one record. `record` is the id of its result, empty for an undecodable record."""

    expected: Expected
    record: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Item:
    """A record to publish, with its expected outcome."""

    expected: Expected
    record: str
    key: bytes
    value: bytes


def make_items(count: int, *, seed: int, planted: int, repeated: float = 0.05) -> Iterator[Item]:
    """Yields `count` records. `planted` of them are bad, and a share of `repeated` has the text of another record."""
    rng = random.Random(seed)
    bad = {number: kind for kind, number in enumerate(rng.sample(range(count), planted))}
    for number in range(count):
        if number in bad:
            yield _planted(number, bad[number])
        else:
            same_as = rng.randrange(number + 1) // 10 * 10 if rng.random() < repeated else number
            yield _item(number, f"Chunk {same_as:07d} tells of {same_as * 7919 % 10**6} things.", Expected.OK)


def _planted(number: int, kind: int) -> Item:
    """Makes chunks without words, chunks that the model refuses or never answers well, or bytes that are no chunk."""
    match kind % 4:
        case 0:
            return _item(number, f"Chunk {number:07d}. PLANTED refused", Expected.FAILED)
        case 1:
            return _item(number, f"Chunk {number:07d}. PLANTED garbage", Expected.FAILED)
        case 2:
            return _item(number, "—" * (1 + number % 50), Expected.EMPTY)
        case _:
            return Item(Expected.UNDECODABLE, "", f"{number}".encode(), b'{"no": "chunk", "number": %d}' % number)


def _item(number: int, text: str, expected: Expected) -> Item:
    path = f"texts/{number // CHUNKS_OF_A_DOCUMENT:05d}.txt"
    document = Document(id=document_id("chaos", path), source="chaos", path=path, version=1)
    index = number % CHUNKS_OF_A_DOCUMENT
    chunk = Chunk(
        chunk_id=chunk_id(document.id, 1, index),
        document=document,
        index=index,
        start=index * 1000,
        end=index * 1000 + len(text),
        text=text,
        content_key=content_key(text, ()),
    )
    return Item(expected, record_id(chunk.chunk_id, 0, 0), chunk.content_key.encode(), encode(chunk))


class Feed:
    """Publishes items in transactions, and aborts some of them. No fault may strike the broker meanwhile."""

    def __init__(self, settings: Settings, items: Iterator[Item], expectations: Path) -> None:
        self._settings = settings
        self._topic = TopicNames(settings.kafka.namespace).chunks
        self._items = items
        self._expectations = expectations
        self._batches = 0
        self._poisons = 0
        self.published = 0

    async def publish(self, count: int) -> None:
        """Publishes the next `count` records, or as many as are left."""
        async with self._producer() as producer:
            while count > 0 and (batch := self._take(min(count, BATCH))):
                await self._publish(producer, batch)
                count -= len(batch)

    def _take(self, count: int) -> list[Item]:
        return list(islice(self._items, count))

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = make_transactional_producer(self._settings.kafka, f"{self._settings.kafka.namespace}.feed")
        await start_patiently(producer, self._settings.kafka)
        try:
            yield producer
        finally:
            await producer.stop()

    async def _publish(self, producer: AIOKafkaProducer, batch: list[Item]) -> None:
        async with producer.transaction():
            expectations = await self._send(producer, batch)
        self._write(expectations)
        self.published += len(batch)
        self._batches += 1
        if self._batches % POISON_EVERY == 0:
            await producer.begin_transaction()
            self._write(await self._send(producer, list(self._poison())))
            await producer.abort_transaction()

    def _poison(self) -> Iterator[Item]:
        for _ in range(POISONS):
            self._poisons += 1
            yield _item(10**7 + self._poisons, f"POISON {self._poisons} was aborted.", Expected.NOTHING)

    async def _send(self, producer: AIOKafkaProducer, batch: list[Item]) -> list[Expectation]:
        sends = [await producer.send(self._topic, item.value, key=item.key) for item in batch]
        placed = await asyncio.gather(*sends)
        return [
            Expectation(item.expected, item.record, at.partition, at.offset)
            for item, at in zip(batch, placed, strict=True)
        ]

    def _write(self, expectations: list[Expectation]) -> None:
        with self._expectations.open("a", encoding="ascii") as file:
            file.writelines(json.dumps(asdict(expectation)) + "\n" for expectation in expectations)


def read_expectations(lines: list[str]) -> list[Expectation]:
    found = []
    for line in lines:
        fields = json.loads(line)
        found.append(Expectation(**fields | {"expected": Expected(fields["expected"])}))
    return found
