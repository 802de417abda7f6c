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
"""A group leader without metadata assigns nothing to everybody until it is refreshed (default: 5 minutes)."""
PRODUCER_FAILED = (KafkaError, AssertionError, IllegalOperation)
"""What a producer raises: Kafka's errors, and two kinds for calls after one of them, as once it was fenced."""
STOP_S = 3.0
ENDINGS = 100
RETRY_S = 0.5
log = logging.getLogger(__name__)


class BrokerUnreachableError(QAStreamError):
    """No broker answered within the patience of a command."""


def make_consumer(kafka: KafkaSettings, **options: Any) -> AIOKafkaConsumer:
    """A consumer that reads committed records only and never commits by itself."""
    defaults = {
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "auto_offset_reset": "none",
        "metadata_max_age_ms": METADATA_MAX_AGE_MS,
        "fetch_max_wait_ms": 200,
        "max_partition_fetch_bytes": MAX_MESSAGE_BYTES,
    }
    return AIOKafkaConsumer(**client_options(kafka), **(defaults | options))


def make_transactional_producer(kafka: KafkaSettings, transactional_id: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **client_options(kafka),
        transactional_id=transactional_id,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        acks="all",
        linger_ms=0,
        max_batch_size=900_000,  # the default of 16 KiB costs 2.4 times the throughput
        max_request_size=MAX_RECORD_BYTES,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        compression_type=None if kafka.compression == "none" else kafka.compression,
    )


async def stop_reading(consumer: AIOKafkaConsumer, *, within_s: float = STOP_S) -> bool:
    """End a consumer; False if it did not end by itself.

    While the broker is away `stop()` waits without limit, or ends with a cancellation of the client's own making and
    leaves its sockets open.
    """
    stopping = asyncio.create_task(consumer.stop())
    done, _ = await asyncio.wait([stopping], timeout=within_s)
    if done and not stopping.cancelled() and stopping.exception() is None:
        return True
    stopping.cancel()
    await _close(client_of(consumer))
    return False


def in_words(exc: BaseException) -> str:
    """Why a transaction failed. What fails inside a broker, its answer does not name."""
    if isinstance(exc, UnknownError):
        return "an error inside the broker, which its log names (if it is about zstd: --compression lz4)"
    return repr(exc)


async def discard(producer: AIOKafkaProducer) -> None:
    """End a producer that may be in any state; it must not be used again.

    `stop()` waits without limit for a broker that is away, so it gets 3 s before the sockets are cut.
    """
    _mark_as_seen(producer)
    stop = asyncio.create_task(producer.stop())
    done, _ = await asyncio.wait([stop], timeout=STOP_S)
    if not done:
        stop.cancel()
        await abandon(producer)
    elif (error := stop.exception()) is not None:
        log.debug("producer did not stop cleanly: %r", error)


def _mark_as_seen(producer: AIOKafkaProducer) -> None:
    """A failed transaction leaves futures that nobody awaits: asyncio would log each error with a traceback."""
    for future in futures_of(producer):
        if future.done() and not future.cancelled():
            future.exception()


async def abandon(producer: AIOKafkaProducer) -> None:
    """Cut the sockets of a producer and end its tasks, whatever they are doing.

    What it has under way may go through or not. Who waits for it waits for ever: cancel that.
    """
    await _close(producer.client)
    sending = sending_task(producer)
    for _ in range(ENDINGS):
        if sending is None or sending.done():
            return
        sending.cancel()  # the first makes it wait for its requests, those after it cancel them one by one
        await asyncio.sleep(0)


async def _close(client: BareClient) -> None:
    """A socket first sends what it has: without limit to a broker that takes nothing, as a frozen one."""
    closing = asyncio.create_task(client.close())
    await asyncio.wait([closing], timeout=STOP_S)
    closing.cancel()


async def start_patiently(client: Any, kafka: KafkaSettings, *, patience_s: float | None = None) -> None:
    """Start a client of any kind, waiting for a broker that is away: for ever, or `patience_s` seconds.

    Raises BrokerUnreachableError when the patience is over, and AccessError at once where a broker turns us away.
    """
    began, warned = time.monotonic(), -10.0
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
                    f"no Kafka broker answers over {kafka.security_protocol} at {kafka.brokers}: {exc}. "
                    "Start one (`python -m server broker`), or set KAFKA_BOOTSTRAP_SERVERS, and --security-protocol to "
                    "what it speaks"
                ) from None
            if waited - warned >= 10:
                protocol = kafka.security_protocol
                log.warning("waiting for a Kafka broker that answers over %s at %s", protocol, kafka.brokers)
                warned = waited
            await asyncio.sleep(RETRY_S)
        else:
            return


@asynccontextmanager
async def admin_client(kafka: KafkaSettings, *, patience_s: float | None = None) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client_options(kafka))
    await start_patiently(admin, kafka, patience_s=patience_s)
    try:
        yield admin
    finally:
        await admin.close()
