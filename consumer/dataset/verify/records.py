"""Counts the records on disk and on the topics into a census."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import sha256

import orjson

from configs.sections import KafkaSettings
from consumer.dataset.verify.census import Census
from messaging.messages import decoded, ignore, read_messages
from messaging.reading import read_to_end
from messaging.record import Record
from output.layout import Layout
from output.segments.records import iter_records
from output.share import Share
from schemas import Chunk, DeadLetter, ReplayMarker, TopicNames
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
    async with aclosing(read_messages(kafka, names.chunks, Chunk, undecodable=ignore)) as chunks:
        async for _, chunk in chunks:  # any other record gets a dead letter and no result
            if scope.owns(chunk.document.id):
                census.add("chunks", record_id(chunk.chunk_id, chunk.generation, chunk.attempt))
    async with aclosing(read_to_end(kafka, names.dead_letters)) as letters:
        async for record in letters:
            _count_letter(record, census)


def _identified(value: bytes | None) -> tuple[str, bytes]:
    """Returns the record's id and the digest of its bytes. A record that is no result gets an id by its digest."""
    digest = sha256(value or b"").digest()
    try:
        return str(orjson.loads(value or b"")["record_id"]), digest
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return f"undecodable {digest.hex()}", digest


def _count_letter(record: Record, census: Census) -> None:
    if letter := decoded(DeadLetter, record, undecodable=ignore):
        census.add_letter(letter.letter_id)
    elif replay := decoded(ReplayMarker, record, undecodable=ignore):
        census.add_replay(replay.letter_id)
    else:
        census.add_letter(f"undecodable {sha256(record.value or b'').hexdigest()}")
