"""Reads the committed records of the sink's partitions of qa.results and qa.files, from the end of the disk on."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError, TopicAuthorizationFailedError

from configs.sections import KafkaSettings
from consumer.sink.errors import ContinuityError, StartOverError
from messaging.access import from_refusal
from messaging.client_internals import connections_of, reading_task
from messaging.connection import open_consumer
from messaging.reading import topic_partitions
from messaging.record import Record, poll
from messaging.topics import cluster_id
from output.share import ALL, Share
from schemas import TopicNames

PAUSE_S = 0.5
SETTLE_S = 15.0
"""Longest time to wait for offsets: a broker that has just started may not know yet how far its partitions reach."""
MADE_AGAIN = (
    "the topic was deleted and made again, or the broker has lost data. What is on disk is whole; go on with another "
    "--output-dir, or with the broker's data restored"
)
log = logging.getLogger(__name__)
Positions = Mapping[TopicPartition, int]
Lasts = Mapping[TopicPartition, bytes | None]
NO_SHARES: Mapping[str, Share] = {}


@dataclass(slots=True)
class TopicReader:
    """Reads partitions from `next_offsets` on, also while brokers go and come back.

    `lasts` has the values of the records just before these offsets, as far as they are on disk: a topic with another
    value there is another topic of the same name. `counts` has the number of partitions by topic. After each new
    connection the cluster is compared with `cluster`, unless that is empty, and each partition of the results with the
    last record that was taken from it: the broker may have been wiped and filled anew while this process was frozen.
    """

    kafka: KafkaSettings
    consumer: AIOKafkaConsumer
    next_offsets: dict[TopicPartition, int]
    lasts: dict[TopicPartition, bytes | None]
    counts: Mapping[str, int]
    cluster: str = ""
    _taken_last: dict[TopicPartition, Record] = field(default_factory=dict)
    _connections: list[object] = field(default_factory=list)
    """Connections since which the cluster was compared."""

    async def begin(self) -> None:
        """Assigns the partitions. Raises ContinuityError where a partition does not reach to its offset."""
        self.consumer.assign(list(self.next_offsets))
        beginnings = await self._check_range()
        for tp in list(self.lasts):
            if beginnings[tp] < self.next_offsets[tp]:
                self.next_offsets[tp] -= 1  # read it again, to compare
            else:
                del self.lasts[tp]
        self._rewind()

    async def _compare_again(self) -> bool:
        """Compares the cluster after a new connection. Tells whether the last records are to be read again.

        Raises ContinuityError for another cluster, and BrokerUnreachableError.
        """
        connections = connections_of(self.consumer)
        if all(any(each is known for known in self._connections) for each in connections):
            return False
        found = await cluster_id(self.kafka, patience_s=SETTLE_S) if self.cluster else ""
        if found != self.cluster:
            raise ContinuityError(
                f"the broker at {self.kafka.brokers} is of Kafka cluster {found} now, and was of {self.cluster}: "
                f"{MADE_AGAIN}"
            )
        self._connections = connections
        if not self._taken_last:
            return False
        beginnings = await self._check_range()
        for tp, record in self._taken_last.items():
            if tp not in self.lasts and beginnings[tp] <= record.offset:
                self.next_offsets[tp], self.lasts[tp] = record.offset, record.value
        self._rewind()
        return True

    async def poll(self, timeout_s: float) -> list[Record]:
        """Returns the records that come within `timeout_s`, ordered by offset within each partition.

        Raises ContinuityError, StartOverError and AccessError.
        """
        self._check_client()
        try:
            batches = await poll(self.consumer, timeout_ms=round(timeout_s * 1000))
        except OffsetOutOfRangeError:
            await self._check_range()
            self._rewind()
            return []
        except TopicAuthorizationFailedError as exc:
            raise from_refusal(self.kafka, exc, "READ") from exc
        except KafkaError as exc:
            log.warning("could not read, trying again: %r", exc)
            self._rewind()
            await asyncio.sleep(PAUSE_S)
            return []
        if batches and await self._compare_again():
            return []
        return [record for tp, records in batches.items() for record in self._taken(tp, records)]

    def _check_client(self) -> None:
        if reading_task(self.consumer).done():
            raise StartOverError("the client has given up reading")
        for topic, count in self.counts.items():
            known = self.consumer.partitions_for_topic(topic) or set()
            if len(known) > count:
                raise StartOverError(f"{topic} has got more partitions")

    def _taken(self, tp: TopicPartition, records: list[Record]) -> list[Record]:
        position, self.next_offsets[tp] = self.next_offsets[tp], records[-1].offset + 1
        if tp.topic == TopicNames(self.kafka.namespace).results:  # records of the others may be compacted
            self._taken_last[tp] = records[-1]
        if tp not in self.lasts:
            return records
        first, last = records[0], self.lasts.pop(tp)
        if first.offset != position or first.value != last:
            raise ContinuityError(
                f"{tp.topic} partition {tp.partition} has another record at offset {position} than results/ on disk: "
                f"{MADE_AGAIN}"
            )
        return records[1:]

    async def positions(self, topic: str) -> dict[int, int]:
        """Returns the next offsets by partition, behind the records that were read and their transaction markers."""
        partitions = [tp for tp in self.next_offsets if tp.topic == topic]
        return {tp.partition: await self.consumer.position(tp) for tp in partitions}

    def _rewind(self) -> None:
        for tp, offset in self.next_offsets.items():
            self.consumer.seek(tp, offset)

    async def _check_range(self) -> Positions:
        """Returns the first offsets. Raises ContinuityError where a position is outside of its partition."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + SETTLE_S
        while True:
            beginnings, ends = await self._ranges()
            problem = _out_of_range(self.next_offsets, beginnings, ends)
            if not problem:
                return beginnings
            if clock() > deadline:
                raise ContinuityError(problem)
            await asyncio.sleep(PAUSE_S)

    async def _ranges(self) -> tuple[Positions, Positions]:
        """Returns the first and the end offsets. Raises StartOverError after `SETTLE_S`: a new life notices a stop."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + SETTLE_S
        while True:
            try:
                return (
                    await self.consumer.beginning_offsets(list(self.next_offsets)),
                    await self.consumer.end_offsets(list(self.next_offsets)),
                )
            except KafkaError as exc:
                if clock() > deadline:
                    raise StartOverError("offsets can't be looked up") from exc
                log.warning("could not look up offsets, trying again: %r", exc)
                await asyncio.sleep(PAUSE_S)


def _out_of_range(positions: Positions, beginnings: Positions, ends: Positions) -> str:
    for tp, offset in positions.items():
        if offset > ends[tp]:
            return (
                f"{tp.topic} partition {tp.partition} ends at offset {ends[tp]}, but up to {offset} is on disk: "
                f"{MADE_AGAIN}"
            )
        if offset < beginnings[tp]:
            return (
                f"{tp.topic} partition {tp.partition} begins at offset {beginnings[tp]}, but the disk ends before "
                f"{offset}: the records between were deleted from the topic before a sink wrote them. Restore them, or "
                "accept the loss and go on with another --output-dir"
            )
    return ""


@asynccontextmanager
async def open_reader(
    kafka: KafkaSettings,
    starts: Mapping[str, Mapping[int, int]],
    lasts: Lasts,
    shares: Mapping[str, Share] = NO_SHARES,
    *,
    cluster: str = "",
) -> AsyncIterator[TopicReader]:
    """Yields a reader of the topics in `starts`, from the offsets by partition there or else from the beginning.

    `shares` limits a topic to some partitions. It waits for the broker without limit. Raises ContinuityError,
    TopicMissingError and KafkaError.
    """
    positions: dict[TopicPartition, int] = {}
    counts: dict[str, int] = {}
    async with open_consumer(kafka) as consumer:
        for topic, offsets in starts.items():
            numbers = await topic_partitions(consumer, topic)
            counts[topic] = len(numbers)
            _check_partitions(topic, offsets, counts[topic])
            share = shares.get(topic, ALL)
            partitions = [TopicPartition(topic, number) for number in sorted(numbers) if share.has(number)]
            beginnings = await consumer.beginning_offsets(partitions)
            positions |= {tp: offsets.get(tp.partition, beginnings[tp]) for tp in partitions}
        reader = TopicReader(kafka, consumer, positions, dict(lasts), counts, cluster)
        await reader.begin()
        yield reader


def _check_partitions(topic: str, offsets: Mapping[int, int], count: int) -> None:
    beyond = [partition for partition in offsets if partition >= count]
    if beyond:
        raise ContinuityError(
            f"{topic} has {count} partitions, but records of partition {max(beyond)} are on disk: {MADE_AGAIN}"
        )
