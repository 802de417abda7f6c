"""Finds where a partition starts: at its committed point or, the first time, at its beginning. It never guesses."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from configs.sections import KafkaSettings
from consumer.worker.errors import OffsetsLostError
from consumer.worker.group.transactions import commit_first_point
from messaging.committed import CommitPoint, MetadataError, committed_point
from messaging.connection import BrokerUnreachableError
from messaging.messages import ignore, read_messages
from schemas import DeadLetter, Result, TopicNames

log = logging.getLogger(__name__)


class StartingPoints:
    """Finds the starting points of the partitions of `consumer`, a member of the group."""

    def __init__(self, kafka: KafkaSettings, consumer: AIOKafkaConsumer) -> None:
        self._kafka = kafka
        self._names = TopicNames(kafka.namespace)
        self._consumer = consumer
        self._with_results: set[int] | None = None
        self._scanning = asyncio.Lock()

    async def find(self, tp: TopicPartition, producer: AIOKafkaProducer) -> CommitPoint:
        """Returns where the partition starts, and commits that point if it has none. Start `producer` before.

        Raises OffsetsLostError when the offset is out of range, or is missing or not ours although there are results.
        """
        point = await committed_point(self._consumer, tp)
        first = (await self._consumer.beginning_offsets([tp]))[tp]
        end = (await self._consumer.end_offsets([tp]))[tp]
        if point is None:
            if tp.partition in await self._partitions_with_results():
                raise OffsetsLostError(self._advice(tp, "has no committed offset, but results exist"))
            if first > 0:
                log.error(
                    "Kafka removed the first records of partition %d of %s, up to offset %d, before a worker read them "
                    "(retention, or an admin). Their chunks have no results: `python -m producer regenerate` publishes "
                    "the documents again",
                    *(tp.partition, tp.topic, first - 1),
                )
            point = CommitPoint.of([], first)
            await commit_first_point(producer, tp, point, group=self._names.group)
        elif not first <= point.offset <= end:
            raise OffsetsLostError(self._advice(tp, f"is committed at {point.offset}, outside of {first} to {end}"))
        elif not point.metadata and tp.partition in await self._partitions_with_results():
            raise OffsetsLostError(self._advice(tp, f"was set to {point.offset} by another program, but results exist"))
        try:
            point.decode()
        except MetadataError as exc:
            raise OffsetsLostError(self._advice(tp, str(exc))) from exc
        return point

    async def _partitions_with_results(self) -> set[int]:
        """Returns the input partitions that have outcomes. One scan is enough: later outcomes come with an offset."""
        async with self._scanning:
            if self._with_results is None:
                try:
                    self._with_results = {number async for number in self._scan()}
                except BrokerUnreachableError as exc:
                    if isinstance(exc.__cause__, KafkaError):  # it went away: to be tried again
                        raise exc.__cause__ from None
                    raise
            return self._with_results

    async def _scan(self) -> AsyncIterator[int]:
        """Yields input partitions. Dead letters count too, because an undecodable record leaves no other trace.

        Undecodable results are ignored: no worker has written them, so they are no sign of one.
        """
        kinds: dict[str, type[Result | DeadLetter]]
        kinds = {self._names.results: Result, self._names.dead_letters: DeadLetter}
        for topic, kind in kinds.items():
            async with aclosing(read_messages(self._kafka, topic, kind, undecodable=ignore)) as outcomes:
                async for _, outcome in outcomes:
                    if outcome.origin is not None and outcome.origin.topic == self._names.chunks:
                        yield outcome.origin.partition

    def _advice(self, tp: TopicPartition, problem: str) -> str:
        return (
            f"partition {tp.partition} of {tp.topic} {problem} (group {self._names.group}). Starting anywhere could "
            "lose or double results, so this worker stops. Stop all workers, restore the offsets from the results with "
            "`python -m consumer rebuild-offsets`, and start again; or use a fresh --namespace"
        )
