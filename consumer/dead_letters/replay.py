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

from configs.errors import QAStreamError
from configs.sections import KafkaSettings
from consumer.dead_letters.letters import FiledLetter, LetterFilter, read_letters
from messaging.connection import PATIENCE_S, PRODUCER_FAILED, open_producer
from messaging.roles import Role
from messaging.topics import check_access
from schemas import Chunk, DeadLetter, DecodeError, ReplayMarker, Request, TopicNames, decode, encode
from schemas.ids import request_id
from schemas.messages import MOST, now

BATCH = 100
Again = tuple[FiledLetter, Chunk | Request]
"""A dead letter, and what is published for it."""


@dataclass(slots=True)
class ReplayTally:
    """Counts replayed letters by error class, and all others by the reason why they can't be replayed."""

    replayed: Counter[str] = field(default_factory=Counter)
    impossible: Counter[str] = field(default_factory=Counter)


class ReplayError(QAStreamError):
    """Dead letters could not be replayed; none is half replayed."""


class CannotReplayError(Exception):
    """A letter can't be replayed; the message says why."""


def next_attempt(letter: DeadLetter) -> Chunk | Request:
    """Return the next attempt at a letter's chunk, or the request to read its file again. Raises CannotReplayError."""
    if letter.kind == "file":
        if letter.document is None:
            raise CannotReplayError("a file that is not named")
        identity = request_id(letter.document.id, time.time_ns())
        return Request(request_id=identity, action="retry", document=letter.document, created_at=now())
    if letter.kind == "record":
        raise CannotReplayError("a record that is no chunk")
    if letter.original.truncated:
        raise CannotReplayError("a chunk too large to be kept whole in its letter")
    try:
        chunk = decode(Chunk, base64.b64decode(letter.original.base64, validate=True))
    except (DecodeError, binascii.Error):
        raise CannotReplayError("a chunk that can't be read any more") from None
    if chunk.attempt >= MOST:
        raise CannotReplayError("a chunk of which no record can hold another attempt")
    return chunk.model_copy(update={"attempt": chunk.attempt + 1})


async def replay(kafka: KafkaSettings, wanted: LetterFilter, *, dry_run: bool) -> ReplayTally:
    """Replay the wanted letters that were not replayed yet; a dry run only counts them.

    Raises ReplayError, AccessError, TopicMissingError and BrokerUnreachableError.
    """
    if dry_run:
        return await _replay_all(kafka, wanted, None)
    await check_access(kafka, Role.TOOLS, patience_s=PATIENCE_S)
    opened = open_producer(kafka, TopicNames(kafka.namespace).replay_id, patience_s=PATIENCE_S)
    try:
        async with opened as producer:  # its start ends an earlier replay, so the markers that are read now are all
            return await _replay_all(kafka, wanted, producer)
    except PRODUCER_FAILED as exc:
        raise ReplayError(
            f"replaying stopped: {exc!r}. What was replayed is marked; the rest is replayed by running it again"
        ) from exc


async def _replay_all(kafka: KafkaSettings, wanted: LetterFilter, producer: AIOKafkaProducer | None) -> ReplayTally:
    tally, batch = ReplayTally(), list[Again]()
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
    batch: list[Again], kafka: KafkaSettings, producer: AIOKafkaProducer | None, tally: ReplayTally
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
    """Return the topic and the key to publish to."""
    return (names.chunks, again.content_key) if isinstance(again, Chunk) else (names.requests, again.request_id)
