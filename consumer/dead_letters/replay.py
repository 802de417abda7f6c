"""Publishes chunks of dead letters again, and asks the producer to read rejected files again.

Marker and chunk, or request, are one transaction: a letter is replayed once.
"""

import asyncio
import base64
import binascii
import time
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer

from configs.sections import KafkaSettings
from consumer.dead_letters.errors import ReplayError
from consumer.dead_letters.letters import PATIENCE_S, Filed, Wanted, read_letters
from messaging.connection import PRODUCER_FAILED, discard, make_transactional_producer, start_patiently
from messaging.roles import Role
from messaging.topics import check_access
from schemas import Chunk, DeadLetter, DecodeError, ReplayMarker, Request, TopicNames, decode, encode
from schemas.ids import request_id
from schemas.messages import now

BATCH = 100


@dataclass(slots=True)
class Tally:
    """Letters by error class, and why others can't be replayed, with how many."""

    replayed: Counter[str] = field(default_factory=Counter)
    impossible: Counter[str] = field(default_factory=Counter)


class CannotReplayError(Exception):
    """The message says why."""


def next_attempt(letter: DeadLetter) -> Chunk | Request:
    """The chunk of a letter, as its next attempt; of a file's letter, to read it again. Raises CannotReplayError."""
    if letter.kind == "file":
        return _read_again(letter)
    if letter.kind == "record":
        raise CannotReplayError("a record that is no chunk")
    if letter.original.truncated:
        raise CannotReplayError("a chunk too large to be kept whole in its letter")
    try:
        chunk = decode(Chunk, base64.b64decode(letter.original.base64, validate=True))
    except (DecodeError, binascii.Error):
        raise CannotReplayError("a chunk that can't be read any more") from None
    return chunk.model_copy(update={"attempt": chunk.attempt + 1})


def _read_again(letter: DeadLetter) -> Request:
    document = letter.document
    if document is None:
        raise CannotReplayError("a file that is not named")
    return Request(
        request_id=request_id(document.id, time.time_ns()), action="retry", document=document, created_at=now()
    )


async def replay(kafka: KafkaSettings, wanted: Wanted, *, dry_run: bool) -> Tally:
    """Replay what is wanted and was not replayed yet; a dry run only counts.

    Raises ReplayError, AccessError, TopicMissingError and BrokerUnreachableError.
    """
    if dry_run:
        return await _replay_all(kafka, wanted, None)
    await check_access(kafka, Role.TOOLS, patience_s=PATIENCE_S)
    producer = make_transactional_producer(kafka, TopicNames(kafka.namespace).replay_id)
    await start_patiently(producer, kafka, patience_s=PATIENCE_S)
    try:  # markers are read from here on: the start has fenced an earlier replay and ended what it left open
        return await _replay_all(kafka, wanted, producer)
    except PRODUCER_FAILED as exc:
        raise ReplayError(
            f"replaying stopped: {exc!r}. What was replayed is marked; the rest is replayed by running it again"
        ) from exc
    finally:
        await discard(producer)


async def _replay_all(kafka: KafkaSettings, wanted: Wanted, producer: AIOKafkaProducer | None) -> Tally:
    tally, batch = Tally(), list[tuple[Filed, Chunk | Request]]()
    async with aclosing(read_letters(kafka, wanted, every_marker=producer is not None)) as letters:
        async for filed in letters:
            if filed.replayed:
                continue
            try:
                batch.append((filed, next_attempt(filed.letter)))
            except CannotReplayError as exc:
                tally.impossible[str(exc)] += 1
            if len(batch) >= BATCH:
                await _publish(batch, kafka, producer, tally)
                batch = []
    await _publish(batch, kafka, producer, tally)
    return tally


async def _publish(
    batch: list[tuple[Filed, Chunk | Request]], kafka: KafkaSettings, producer: AIOKafkaProducer | None, tally: Tally
) -> None:
    names = TopicNames(kafka.namespace)
    if producer is not None and batch:
        async with producer.transaction():
            sends = []
            for filed, again in batch:
                letter = filed.letter
                attempt = again.attempt if isinstance(again, Chunk) else letter.attempt + 1
                marker = ReplayMarker(letter_id=letter.letter_id, attempt=attempt, created_at=now())
                headers = [(name, value.encode()) for name, value in letter.headers.items()]
                topic, key = _address(again, names)
                sends += [
                    await producer.send(names.dead_letters, encode(marker), key=filed.key),
                    await producer.send(topic, encode(again), key=key.encode(), headers=headers),
                ]
            await asyncio.gather(*sends)  # a failed send does not fail the transaction
    tally.replayed.update(filed.letter.error_class for filed, _ in batch)


def _address(again: Chunk | Request, names: TopicNames) -> tuple[str, str]:
    """Topic and key."""
    return (names.chunks, again.content_key) if isinstance(again, Chunk) else (names.requests, again.request_id)
