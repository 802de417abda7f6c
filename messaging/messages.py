"""Records and the messages that they hold: how one is decoded, and how a topic of one kind is read."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from configs.sections import KafkaSettings
from messaging.reading import read_to_end
from messaging.record import Record
from schemas import DecodeError, decode
from schemas.codec import M

Undecodable = Callable[[Record, DecodeError], None]
"""Is told of every record that does not hold a message of the kind; it may raise an error to end the reading."""
log = logging.getLogger(__name__)


def warn(record: Record, exc: DecodeError) -> None:
    """Logs that the record is passed over."""
    log.warning("%s partition %d offset %d is passed over: %s", record.topic, record.partition, record.offset, exc)


def ignore(_record: Record, _exc: DecodeError) -> None:
    """Passes over the record silently, on topics that hold other kinds of messages too."""


def decoded(kind: type[M], record: Record, *, undecodable: Undecodable = warn) -> M | None:
    """Returns the message in a record, or None where it is of no such kind, after `undecodable` was told."""
    try:
        return decode(kind, record.value)
    except DecodeError as exc:
        undecodable(record, exc)
        return None


async def read_messages(
    kafka: KafkaSettings,
    topic: str,
    kind: type[M],
    *,
    undecodable: Undecodable = warn,
    start: Mapping[int, int] | None = None,
    patience_s: float | None = None,
    through_pending: bool = False,
) -> AsyncGenerator[tuple[Record, M], None]:
    """Yields the records of a topic that hold a message of this kind, with it. Use within `contextlib.aclosing`.

    Options and errors are those of `read_to_end`, and whatever `undecodable` raises.
    """
    reading = read_to_end(kafka, topic, start=start, patience_s=patience_s, through_pending=through_pending)
    async with aclosing(reading) as records:
        async for record in records:
            if (message := decoded(kind, record, undecodable=undecodable)) is not None:
                yield record, message
