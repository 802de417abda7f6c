"""Reads the group's partitions. One that can't be read holds up no other, and nothing is lost of any.

The client moves a partition's position as it takes the records out of its buffer, and throws them away when the next
partition in the same call turns out to be unreadable. So after any error all positions are put back to what the
tenures have, and for a while each partition is read apart, record by record: all that stands before the damage is
taken in, and it is known which partition has it and where. What only has strange names of headers is read otherwise.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from consumer.worker.errors import WorkerError
from consumer.worker.group.client import GroupClient
from consumer.worker.group.tenure import Tenure
from messaging.access import AUTHORIZATION
from messaging.client_internals import coordination_task, fetch_leniently, reading_task
from messaging.reading import IF_DAMAGED
from messaging.record import Record, poll

NOWHERE = TopicPartition("_nowhere", 0)
"""Polled while nothing may be taken in: a member that does not poll is expelled."""
POLL_MS = 50
RETRY_S = 10.0
APART_S = 60.0
"""After its last trouble a partition is read apart for so long; more than RETRY_S."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Apart:
    """A partition that is read by itself. `stuck_at` is the offset from which on it can't be read, if it can't."""

    since_s: float
    stuck_at: int | None = None
    retry_s: float = 0.0
    read_s: float = 0.0


class GroupIntake:
    """Reads the member's partitions and hands the records to their tenures."""

    def __init__(self, client: GroupClient, tenures: Mapping[TopicPartition, Tenure]) -> None:
        """`tenures` has the partitions that are ours at the moment."""
        self._client = client
        self._consumer = client.consumer
        self._tenures = tenures
        self._apart: dict[TopicPartition, Apart] = {}

    async def read(self, partitions: Sequence[TopicPartition], room: int) -> None:
        """Take in up to `room` records of the partitions, or wait a moment for some.

        Raises WorkerError where the client reads no more, and AccessError.
        """
        self._check_running("reading", reading_task(self._consumer))
        together = [tp for tp in partitions if tp not in self._apart]
        room -= await self._read_together(together, room)
        waiting = [tp for tp in partitions if tp in self._apart]
        for tp in sorted(waiting, key=lambda tp: self._apart[tp].read_s):  # one with a backlog may take all the room
            apart = self._apart[tp]
            if count := await self._read_apart(tp, apart, room):
                apart.read_s = time.monotonic()
                room -= count
            self._settle(tp, apart)

    def trouble(self) -> str | None:
        stuck = sorted((tp.partition, apart.stuck_at) for tp, apart in self._apart.items() if self._is_stuck(tp, apart))
        return "; ".join(f"partition {number} can't be read from offset {at} on" for number, at in stuck) or None

    def _take_in(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        """Hands records to the partition's tenure. It may be ours no more, since it was asked for."""
        if (tenure := self._tenures.get(tp)) is not None:
            tenure.take_in(records)

    def _is_stuck(self, tp: TopicPartition, apart: Apart) -> bool:
        return apart.stuck_at is not None and self._tenures.get(tp) is not None

    def _check_running(self, name: str, task: asyncio.Task[None]) -> None:
        """The client only logs why a task of its own has ended, and nothing comes any more."""
        if task.done():
            error = None if task.cancelled() else task.exception()
            why = error.__cause__ or error if error else "cancelled"
            raise WorkerError(f"the Kafka client's {name} ended: {why!r}. Start the worker again") from error

    async def _read_together(self, together: list[TopicPartition], room: int) -> int:
        """How many records there were."""
        try:
            batches = await poll(self._consumer, *(together or [NOWHERE]), timeout_ms=POLL_MS, max_records=max(room, 1))
        except AUTHORIZATION as exc:
            raise self._client.denied(exc, "READ") from exc
        except ConsumerStoppedError:
            raise
        except Exception as exc:  # noqa: BLE001 - whatever the client makes of bytes that it can't parse
            self._check_running("coordination", coordination_task(self._consumer))
            log.warning("reading failed: %r. Reading again, each partition by itself", exc)
            for tp in together:
                self._rewind(tp)
                self._apart[tp] = Apart(since_s=time.monotonic())
            await asyncio.sleep(POLL_MS / 1000)
            return 0
        for tp, records in batches.items():
            self._take_in(tp, records)
        return sum(map(len, batches.values()))

    async def _read_apart(self, tp: TopicPartition, apart: Apart, room: int) -> int:
        """How many records there were. Read one by one: of more at once, those before the damage are thrown away."""
        if time.monotonic() < apart.retry_s:
            return 0
        for count in range(room):
            tenure = self._tenures.get(tp)
            if tenure is None or not tenure.room:  # it may have changed hands while we waited
                return count
            try:
                batches = await poll(self._consumer, tp, timeout_ms=0, max_records=1)
            except AUTHORIZATION as exc:
                raise self._client.denied(exc, "READ") from exc
            except ConsumerStoppedError:
                raise
            except UnicodeDecodeError as exc:
                return count + await self._read_strange_names(tp, apart, room - count, exc)
            except Exception as exc:  # noqa: BLE001 - as above
                self._leave(tp, apart, exc)
                return count
            if not batches:
                return count
            self._take_in(tp, batches[tp])
        return room

    async def _read_strange_names(self, tp: TopicPartition, apart: Apart, room: int, exc: UnicodeDecodeError) -> int:
        """How many records there were."""
        tenure = self._tenures.get(tp)
        if tenure is None or (position := tenure.position) is None:
            return 0
        log.info(
            "partition %d of %s has header names that are not UTF-8, from offset %d on (%s): they are read with U+FFFD",
            tp.partition, tp.topic, position, exc,
        )  # fmt: skip
        try:
            records = await fetch_leniently(self._consumer, tp, position, max_records=room)
        except Exception as error:  # noqa: BLE001 - as above
            if not (isinstance(error, KafkaError) and error.retriable):  # else it is a broker that went away
                self._leave(tp, apart, error)
            return 0
        if self._tenures.get(tp) is not tenure or tenure.position != position:
            return 0  # it changed hands, or its transaction failed, while we waited
        self._take_in(tp, records)
        self._rewind(tp)
        return len(records)

    def _leave(self, tp: TopicPartition, apart: Apart, exc: Exception) -> None:
        """Its records stay where they are; it is looked at again from time to time, and told of once."""
        position = self._rewind(tp)
        apart.since_s = time.monotonic()
        apart.retry_s = apart.since_s + RETRY_S
        if position is None or position == apart.stuck_at:
            return
        apart.stuck_at = position
        log.error(
            "partition %d of %s can't be read from offset %d on: %r. Its chunks wait there and none is lost; other "
            "partitions go on. %s; it is tried again every %.0f s",
            tp.partition, tp.topic, position, exc, IF_DAMAGED, RETRY_S,
        )  # fmt: skip

    def _settle(self, tp: TopicPartition, apart: Apart) -> None:
        """Back to the others after a while without trouble."""
        tenure = self._tenures.get(tp)
        position = tenure.position if tenure is not None else None
        if apart.stuck_at is not None and position is not None and position > apart.stuck_at:
            apart.stuck_at = None
            log.info("partition %d of %s can be read again", tp.partition, tp.topic)
        if time.monotonic() - apart.since_s > APART_S:
            del self._apart[tp]

    def _rewind(self, tp: TopicPartition) -> int | None:
        """To what the tenure has not taken in yet; where that is, if it is known."""
        tenure = self._tenures.get(tp)
        position = tenure.position if tenure is not None else None
        if position is not None:
            self._consumer.seek(tp, position)
        return position
