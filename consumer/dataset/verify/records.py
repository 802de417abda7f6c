"""Counts the records on disk and on the topics into a census."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import sha256

import orjson

from configs.sections import KafkaSettings
from consumer.dataset.verify.census import Census
from messaging.reading import read_to_end
from output.layout import Layout
from output.segments.records import iter_records
from output.share import Share
from schemas import Chunk, DeadLetter, DecodeError, ReplayMarker, TopicNames, decode
from schemas.ids import record_id


@dataclass(frozen=True, slots=True)
class Scope:
    """Compared are these partitions of qa.results, and the documents whose ids `owns` accepts."""

    share: Share
    owns: Callable[[str], bool]


def count_disk(picture: Layout, names: TopicNames, census: Census) -> None:
    """Counts all results on disk. Raises SegmentsError."""
    for record in iter_records(picture.root, topic=names.results):
        census.add("disk", *_identified(record.value))


async def count_topics(kafka: KafkaSettings, names: TopicNames, census: Census, scope: Scope) -> None:
    """Counts all results, chunks and dead letters on the topics. Raises TopicMissingError and KafkaError."""
    async with aclosing(read_to_end(kafka, names.results)) as results:
        async for record in results:
            if scope.share.has(record.partition):
                census.add("topic", *_identified(record.value))
    async with aclosing(read_to_end(kafka, names.chunks)) as chunks:
        async for record in chunks:
            _count_chunk(record.value, census, scope)
    async with aclosing(read_to_end(kafka, names.dead_letters)) as letters:
        async for record in letters:
            _count_letter(record.value, census)


def _identified(value: bytes | None) -> tuple[str, bytes]:
    """Returns the record's id and the digest of its bytes. A record that is no result gets an id by its digest."""
    digest = sha256(value or b"").digest()
    try:
        return str(orjson.loads(value or b"")["record_id"]), digest
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return f"undecodable {digest.hex()}", digest


def _count_chunk(value: bytes | None, census: Census, scope: Scope) -> None:
    """Counts a chunk. Any other record gets a dead letter and no result, so it is left out."""
    try:
        chunk = decode(Chunk, value)
    except DecodeError:
        return
    if scope.owns(chunk.document.id):
        census.add("chunks", record_id(chunk.chunk_id, chunk.generation, chunk.attempt))


def _count_letter(value: bytes | None, census: Census) -> None:
    try:
        census.add_letter(decode(DeadLetter, value).letter_id)
    except DecodeError:
        try:
            census.add_replay(decode(ReplayMarker, value).letter_id)
        except DecodeError:
            census.add_letter(f"undecodable {sha256(value or b'').hexdigest()}")
