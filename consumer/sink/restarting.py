"""Runs the sink's work again after each trouble that can pass."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from consumer.sink.errors import StartOverError
from consumer.sink.recovery import remove_index
from messaging.connection import BrokerUnreachableError
from messaging.stopping import unless_stopped
from output.durable import is_room_problem
from output.errors import IndexDamagedError, OutputError
from output.layout import Layout
from telemetry.metrics import SinkMetrics
from telemetry.telemetry import Telemetry, unseen

RETRY_S = 1.0
REMIND_S = 30.0
log = logging.getLogger(__name__)


async def persistently(
    work: Callable[[], Awaitable[None]],
    layout: Layout,
    stop: asyncio.Event,
    telemetry: Telemetry[SinkMetrics] | None = None,
) -> None:
    """Runs `work` again from its start after a full disk, a damaged index, or a broker that was away.

    Each start finds on disk what a crash would have left; there is no other way of recovery. Raises OutputError for a
    disk error that does not pass by itself, StoppedError, and all other errors of `work`.
    """
    reminded_s = -REMIND_S
    telemetry = telemetry or unseen(SinkMetrics)
    while True:
        try:
            await work()
        except IndexDamagedError as exc:
            log.warning("the index is built again: %s", exc)
            remove_index(layout.index)
        except (StartOverError, BrokerUnreachableError, KafkaError, ConnectionError, TimeoutError) as exc:
            log.warning("reading starts over: %r", exc)
        except (OSError, sqlite3.OperationalError) as exc:
            if not _may_pass(exc):
                raise OutputError(f"{layout.root} can't be written: {exc}") from exc
            if time.monotonic() - reminded_s >= REMIND_S:
                log.error(  # noqa: TRY400 - the trace says nothing more
                    "can't write to %s: %s. Waiting; make room and the sink goes on by itself", layout.root, exc
                )
                reminded_s = time.monotonic()
            telemetry.health.note("disk", str(exc.strerror if isinstance(exc, OSError) else exc))
        else:
            return
        telemetry.metrics.starts_over.inc()
        await unless_stopped(asyncio.sleep(RETRY_S), stop)


def _may_pass(exc: OSError | sqlite3.OperationalError) -> bool:
    if isinstance(exc, OSError):
        return is_room_problem(exc)
    return exc.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
