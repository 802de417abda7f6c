"""Tells the health endpoint whether a Kafka broker answers now.

The other clients of a process can't tell: while a broker is away or frozen they wait, without an error, as they should.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError

from configs.sections import KafkaSettings
from messaging.access import client_options
from messaging.client_internals import BareClient
from messaging.stopping import end

EVERY_S = 2.0
ANSWER_S = 4.0
LATE_S = 7.0
log = logging.getLogger(__name__)


class Pulse:
    """Remembers when a broker last answered. `clock` gives seconds."""

    def __init__(self, brokers: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._brokers = brokers
        self._clock = clock
        self._heard_s: float | None = None

    def heard(self) -> None:
        self._heard_s = self._clock()

    def trouble(self) -> str | None:
        if self._heard_s is None:
            return f"no Kafka broker at {self._brokers} has answered yet"
        silent_s = self._clock() - self._heard_s
        return f"no Kafka broker at {self._brokers} has answered for {silent_s:.0f} s" if silent_s > LATE_S else None


@asynccontextmanager
async def feeling(kafka: KafkaSettings, *, watched: bool) -> AsyncIterator[Pulse]:
    """Yield a pulse. If it is `watched`, a broker is asked every two seconds while the context lasts."""
    pulse = Pulse(kafka.brokers)
    beating = asyncio.create_task(_feel(kafka, pulse) if watched else asyncio.sleep(0))
    try:
        yield pulse
    finally:
        await end(beating)


async def _feel(kafka: KafkaSettings, pulse: Pulse) -> None:
    while True:
        client = BareClient(**client_options(kafka))
        try:
            await _until_silent(client, pulse)
        except (KafkaError, OSError, TimeoutError) as exc:
            log.debug("no broker answers: %r", exc)
        finally:
            await client.close()
        await asyncio.sleep(EVERY_S)


async def _until_silent(client: BareClient, pulse: Pulse) -> None:
    async with asyncio.timeout(ANSWER_S):
        await client.bootstrap()
    while True:
        async with asyncio.timeout(ANSWER_S):
            await client.fetch_all_metadata()
        pulse.heard()
        await asyncio.sleep(EVERY_S)
