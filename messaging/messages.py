"""Records and the messages that they hold: how one is decoded, and how a topic of one kind is read."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from configs.sections import KafkaSettings
from messaging.reading import read_to_end
from messaging.record import Record
from schemas import DecodeError, decode
from schemas.codec import M

Undecodable = Callable[[Record, DecodeError], None]
"""Is told of every record that does not hold a message of the kind; it may raise an error to end the reading."""
log = logging.getLogger(__name__)


def place_of(record: Record) -> str:
    return f"{record.topic} partition {record.partition} offset {record.offset}"


def warn(record: Record, exc: DecodeError) -> None:
    """Log that the record is passed over."""
    log.warning("%s is passed over: %s", place_of(record), exc)


def ignore(_record: Record, _exc: DecodeError) -> None:
    """Pass over the record silently, on topics that hold other kinds of messages too."""


def decoded(kind: type[M], record: Record, *, undecodable: Undecodable = warn) -> M | None:
    """Return the message in a record. Where it is not of this kind, tell `undecodable` and return None."""
    try:
        return decode(kind, record.value)
    except DecodeError as exc:
        undecodable(record, exc)
        return None


async def read_messages(
    kafka: KafkaSettings, topic: str, kind: type[M], *, undecodable: Undecodable = warn, **options: Any
) -> AsyncGenerator[tuple[Record, M], None]:
    """Yield the records of a topic that hold a message of this kind, with it. Options and use are `read_to_end`'s."""
    async with aclosing(read_to_end(kafka, topic, **options)) as records:
        async for record in records:
            if (message := decoded(kind, record, undecodable=undecodable)) is not None:
                yield record, message
