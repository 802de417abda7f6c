"""Reads the group's partitions. A partition that can't be read delays no other, and no record is lost.

The client moves a partition's position when it takes records out of its buffer. It throws these records away when the
next partition in the same call turns out to be unreadable. So after any error, all positions go back to those of the
tenures, and for a while each partition is read apart, record by record. Then all records before the damage are taken
in, and it is known which partition is damaged and where. Records whose only fault is a header name that is not UTF-8
are read in another way.
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
from messaging.access import AUTHORIZATION, from_refusal
from messaging.client_internals import coordination_task, fetch_leniently, reading_task
from messaging.reading import IF_DAMAGED
from messaging.record import Record, poll

NOWHERE = TopicPartition("_nowhere", 0)
"""Polled while no record may be taken in, because the group expels a member that does not poll."""
POLL_MS = 50
RETRY_S = 10.0
"""Pause before a partition that can't be read is tried again."""
APART_S = 60.0
"""Time for which a partition is read apart after its last trouble. It must be longer than RETRY_S."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Apart:
    """A partition that is read by itself. It can't be read from offset `stuck_at` on, if that is set."""

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
        """Takes in up to `room` records of the partitions, or waits a moment for some.

        Raises WorkerError when the client has stopped reading, and AccessError.
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
        """Returns which of our partitions can't be read, in words, or None."""
        ours = [(tp.partition, apart.stuck_at) for tp, apart in self._apart.items() if tp in self._tenures]
        stuck = sorted((number, at) for number, at in ours if at is not None)
        return "; ".join(f"partition {number} can't be read from offset {at} on" for number, at in stuck) or None

    def _take_in(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        """Hands records to the partition's tenure, unless the partition was lost during the poll."""
        if (tenure := self._tenures.get(tp)) is not None:
            tenure.take_in(records)

    def _check_running(self, name: str, task: asyncio.Task[None]) -> None:
        """Raises WorkerError if a task of the client has ended. The client only logs that, and no record comes."""
        if task.done():
            error = None if task.cancelled() else task.exception()
            why = error.__cause__ or error if error else "cancelled"
            raise WorkerError(f"the Kafka client's {name} ended: {why!r}. Start the worker again") from error

    async def _read_together(self, together: list[TopicPartition], room: int) -> int:
        """Returns the number of records."""
        try:
            batches = await poll(self._consumer, *(together or [NOWHERE]), timeout_ms=POLL_MS, max_records=max(room, 1))
        except AUTHORIZATION as exc:
            raise from_refusal(self._client.kafka, exc, "READ") from exc
        except ConsumerStoppedError:
            raise
        except Exception as exc:  # noqa: BLE001 - bytes that the client can't parse raise errors of any kind
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
        """Reads one record at a time, since the records of a batch before damage are thrown away. Returns how many."""
        if time.monotonic() < apart.retry_s:
            return 0
        for count in range(room):
            tenure = self._tenures.get(tp)
            if tenure is None or not tenure.room:  # it may have changed hands while we waited
                return count
            try:
                batches = await poll(self._consumer, tp, timeout_ms=0, max_records=1)
            except AUTHORIZATION as exc:
                raise from_refusal(self._client.kafka, exc, "READ") from exc
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
        """Reads records whose header names are not UTF-8. Returns the number of records."""
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
        """Leaves the partition's records where they are for RETRY_S. Each offset is logged once."""
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
        """Reads the partition with the others again after APART_S without trouble."""
        position = self._position(tp)
        if apart.stuck_at is not None and position is not None and position > apart.stuck_at:
            apart.stuck_at = None
            log.info("partition %d of %s can be read again", tp.partition, tp.topic)
        if time.monotonic() - apart.since_s > APART_S:
            del self._apart[tp]

    def _rewind(self, tp: TopicPartition) -> int | None:
        """Seeks to the tenure's position and returns it, or None if it is not known."""
        position = self._position(tp)
        if position is not None:
            self._consumer.seek(tp, position)
        return position

    def _position(self, tp: TopicPartition) -> int | None:
        tenure = self._tenures.get(tp)
        return tenure.position if tenure is not None else None
