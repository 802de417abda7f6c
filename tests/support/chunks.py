"""Chunks put on the topic as a producer would, and what came of them."""

import asyncio
from collections import Counter
from contextlib import aclosing

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from configs.settings import Settings
from messaging.connection import admin_client, make_transactional_producer
from messaging.reading import read_to_end
from messaging.topics import ensure_topics
from schemas import Chunk, Document, TopicNames, encode
from schemas.codec import M, decode
from schemas.ids import chunk_id, content_key, document_id


def make_chunk(
    text: str, index: int = 0, *, path: str = "doc.txt", start: int = 0, headings: tuple[str, ...] = ()
) -> Chunk:
    document = Document(id=document_id("tests", path), source="tests", path=path, version=1)
    return Chunk(
        chunk_id=chunk_id(document.id, 1, index),
        document=document,
        index=index,
        start=start,
        end=start + len(text),
        headings=headings,
        text=text,
        content_key=content_key(text, headings),
    )


async def publish(settings: Settings, chunks: list[Chunk | bytes], *, partition: int | None = None) -> None:
    """In one transaction; bytes go out as they are."""
    await ensure_topics(settings.kafka)
    names = TopicNames(settings.kafka.namespace)
    producer = make_transactional_producer(settings.kafka, names.producer_id("tests"))
    await producer.start()
    async with producer.transaction():
        sends = [
            await producer.send(names.chunks, chunk, partition=partition)
            if isinstance(chunk, bytes)
            else await producer.send(names.chunks, encode(chunk), key=chunk.content_key.encode(), partition=partition)
            for chunk in chunks
        ]
        await asyncio.gather(*sends)
    await producer.stop()
    await until_visible(settings, names.producer_id("tests"))


async def until_visible(settings: Settings, transactional_id: str) -> None:
    """A commit is answered before its markers are written, and its records hidden until then.

    Who starts with that id waits for them.
    """
    producer = make_transactional_producer(settings.kafka, transactional_id)
    await producer.start()
    await producer.stop()


async def read_all(settings: Settings, topic: str, kind: type[M]) -> list[M]:
    """Everything committed on `topic` so far."""
    async with aclosing(read_to_end(settings.kafka, topic, through_pending=True)) as records:
        return [decode(kind, record.value) async for record in records]


def doubled(ids: list[str]) -> list[str]:
    return [each for each, count in Counter(ids).items() if count > 1]


async def limit_messages(settings: Settings, topic: str, size: int) -> None:
    """Sets the topic's max.message.bytes as an admin would."""
    configs = TopicNames(settings.kafka.namespace).configs[topic] | {"max.message.bytes": str(size)}
    async with admin_client(settings.kafka) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])
