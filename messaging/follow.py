"""Reading a topic as it grows, through all that may happen to brokers."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from configs.sections import KafkaSettings
from messaging.access import AccessError
from messaging.connection import BrokerUnreachableError, make_consumer, start_patiently, stop_reading
from messaging.reading import TopicMissingError, assign_all
from messaging.record import Record, poll

BATCH = 500
RETRY_S = 2.0
TROUBLE = (AccessError, BrokerUnreachableError, KafkaError, ConnectionError, TimeoutError, TopicMissingError)
log = logging.getLogger(__name__)


async def follow(
    settings: KafkaSettings, topic: str, take: Callable[[Record], None], *, start: Mapping[int, int] | None = None
) -> None:
    """Give every committed record to `take`, each once, those of a partition in their order; for ever.

    `start` has the first offset by partition; one that is not named begins at its oldest record.
    """
    following = dict(start or {})
    while True:
        consumer = make_consumer(settings, fetch_max_wait_ms=500)
        try:
            await start_patiently(consumer, settings)
            await assign_all(consumer, topic, start=following)
            await _read(consumer, take, following)
        except TROUBLE as exc:
            log.warning("reading %s starts over: %r", topic, exc)
        finally:
            await stop_reading(consumer)
        await asyncio.sleep(RETRY_S)


async def _read(consumer: AIOKafkaConsumer, take: Callable[[Record], None], following: dict[int, int]) -> None:
    while True:
        for records in (await poll(consumer, timeout_ms=1000, max_records=BATCH)).values():
            for record in records:
                take(record)
                following[record.partition] = record.offset + 1
        await asyncio.sleep(0)
