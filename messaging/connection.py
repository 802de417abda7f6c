"""Kafka clients with the options that exactly-once needs, and their safe ends."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IllegalOperation, KafkaError, UnknownError

from configs.errors import QAStreamError
from configs.sections import KafkaSettings
from messaging.access import AUTHORIZATION, client_options, from_refusal, refusal
from messaging.client_internals import BareClient, client_of, futures_of, sending_task
from schemas.topics import MAX_MESSAGE_BYTES

TRANSACTION_TIMEOUT_MS = 10_000
"""A dead writer's open transaction blocks read_committed readers for this long."""
MAX_RECORD_BYTES = MAX_MESSAGE_BYTES // 2
METADATA_MAX_AGE_MS = 15_000
"""A group leader without metadata assigns no partition to any member until it is refreshed (default: 5 minutes)."""
PRODUCER_FAILED = (KafkaError, AssertionError, IllegalOperation)
"""Errors of a producer: Kafka's, and two kinds that calls after such an error raise, as after a fencing."""
STOP_S = 3.0
CANCELLATIONS = 100
RETRY_S = 0.5
WARN_EVERY_S = 10.0
PATIENCE_S = 15.0
"""Time for which a command waits for a broker that does not answer."""
log = logging.getLogger(__name__)


class BrokerUnreachableError(QAStreamError):
    """No broker answered within the patience of a command."""


def make_consumer(kafka: KafkaSettings, **options: Any) -> AIOKafkaConsumer:
    """Make a consumer that reads committed records only and never commits by itself."""
    defaults = {
        "enable_auto_commit": False, "isolation_level": "read_committed", "auto_offset_reset": "none",
        "metadata_max_age_ms": METADATA_MAX_AGE_MS, "fetch_max_wait_ms": 200,
        "max_partition_fetch_bytes": MAX_MESSAGE_BYTES,
    }  # fmt: skip
    return AIOKafkaConsumer(**client_options(kafka), **(defaults | options))


@asynccontextmanager
async def open_consumer(
    kafka: KafkaSettings, *, patience_s: float | None = None, **options: Any
) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a started consumer and stop it safely. Raises as `start_patiently` does."""
    consumer = make_consumer(kafka, **options)
    try:
        await start_patiently(consumer, kafka, patience_s=patience_s)
        yield consumer
    finally:
        await stop_reading(consumer)


def make_transactional_producer(kafka: KafkaSettings, transactional_id: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **client_options(kafka),
        transactional_id=transactional_id, transaction_timeout_ms=TRANSACTION_TIMEOUT_MS, acks="all", linger_ms=0,
        max_batch_size=900_000,  # the default of 16 KiB costs 2.4 times the throughput
        max_request_size=MAX_RECORD_BYTES, metadata_max_age_ms=METADATA_MAX_AGE_MS,
        compression_type=None if kafka.compression == "none" else kafka.compression,
    )  # fmt: skip


@asynccontextmanager
async def open_producer(
    kafka: KafkaSettings, transactional_id: str, *, patience_s: float | None = None
) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a started transactional producer, which has fenced all earlier ones with its id, and end it safely."""
    producer = make_transactional_producer(kafka, transactional_id)
    try:
        await start_patiently(producer, kafka, patience_s=patience_s)
        yield producer
    finally:
        await discard(producer)


async def stop_reading(consumer: AIOKafkaConsumer, *, within_s: float = STOP_S) -> bool:
    """Stop a consumer, and return False if its sockets had to be cut after `within_s`.

    While the broker is away, the client's `stop()` waits without limit, or it cancels itself and leaves sockets open.
    """
    stopping = asyncio.create_task(consumer.stop())
    done, _ = await asyncio.wait([stopping], timeout=within_s)
    if done and not stopping.cancelled() and stopping.exception() is None:
        return True
    stopping.cancel()
    await _close(client_of(consumer))
    return False


def in_words(exc: BaseException) -> str:
    """Say why a transaction failed. A broker does not tell its clients about errors inside itself."""
    if isinstance(exc, UnknownError):
        return "an error inside the broker, which its log names (if it is about zstd: --compression lz4)"
    return repr(exc)


async def discard(producer: AIOKafkaProducer) -> None:
    """End a producer in any state; it must not be used again.

    The client's `stop()` waits without limit for a broker that is away, so the sockets are cut after 3 s.
    """
    for future in futures_of(producer):  # asyncio logs an error that nobody has looked at, with a traceback
        if future.done() and not future.cancelled():
            future.exception()
    stop = asyncio.create_task(producer.stop())
    done, _ = await asyncio.wait([stop], timeout=STOP_S)
    if not done:
        stop.cancel()
        await abandon(producer)
    elif (error := stop.exception()) is not None:
        log.debug("producer did not stop cleanly: %r", error)


async def abandon(producer: AIOKafkaProducer) -> None:
    """Cut the sockets of a producer and end its tasks, whatever they are doing.

    A transaction that is being committed may go through or not. Cancel tasks that wait for it.
    """
    await _close(producer.client)
    sending = sending_task(producer)
    for _ in range(CANCELLATIONS):
        if sending is None or sending.done():
            return
        sending.cancel()  # the first makes it wait for its requests, the following ones cancel them one by one
        await asyncio.sleep(0)


async def _close(client: BareClient) -> None:
    """Close sockets within 3 s. A socket first sends its buffer, and a frozen broker never takes that."""
    closing = asyncio.create_task(client.close())
    await asyncio.wait([closing], timeout=STOP_S)
    closing.cancel()


async def start_patiently(client: Any, kafka: KafkaSettings, *, patience_s: float | None = None) -> None:
    """Start a client of any kind. Wait for a broker that is away: for ever, or `patience_s` seconds.

    Raises BrokerUnreachableError when the patience is over, and AccessError at once where a broker refuses us.
    """
    began, warned = time.monotonic(), -WARN_EVERY_S
    where = f"{kafka.security_protocol} at {kafka.brokers}"
    while True:
        try:
            await client.start()
        except AUTHORIZATION as exc:
            raise from_refusal(kafka, exc, "DESCRIBE") from exc
        except KafkaError as exc:
            waited = time.monotonic() - began
            if refused := await refusal(kafka):
                raise refused from exc
            if patience_s is not None and waited >= patience_s:
                raise BrokerUnreachableError(
                    f"no Kafka broker answers over {where}: {exc}. Start one (`python -m server broker`), or set "
                    "KAFKA_BOOTSTRAP_SERVERS, and --security-protocol to what it speaks"
                ) from None
            if waited - warned >= WARN_EVERY_S:
                log.warning("waiting for a Kafka broker that answers over %s", where)
                warned = waited
            await asyncio.sleep(RETRY_S)
        else:
            return


@asynccontextmanager
async def admin_client(kafka: KafkaSettings, *, patience_s: float | None = None) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield a started admin client. Raises as `start_patiently` does."""
    admin = AIOKafkaAdminClient(**client_options(kafka))
    await start_patiently(admin, kafka, patience_s=patience_s)
    try:
        yield admin
    finally:
        await admin.close()
