"""Connects one member of the group to Kafka: it has a consumer, and a transactional producer for each partition."""

import asyncio
import logging

from aiokafka import AIOKafkaProducer, TopicPartition

from configs.sections import KafkaSettings
from consumer.worker.group.starting_points import StartingPoints
from messaging.client_internals import ROUND_ROBIN, refresh_metadata
from messaging.connection import make_consumer, make_transactional_producer, stop_reading
from schemas import TopicNames

RETRY_S = 0.05
LEAVE_S = 5.0
log = logging.getLogger(__name__)


class GroupClient:
    """The member's consumer, and what its partitions need besides. The consumer is made but not started."""

    def __init__(self, kafka: KafkaSettings, *, session_timeout_ms: int) -> None:
        self.kafka = kafka
        self.names = TopicNames(kafka.namespace)
        self.consumer = make_consumer(
            kafka,
            group_id=self.names.group,
            auto_offset_reset="earliest",  # never used: each partition is sought before it is read
            partition_assignment_strategy=[ROUND_ROBIN],  # exactly one: mixed lists can't roll
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=max(100, min(1_000, session_timeout_ms // 4)),  # tells a member of a rebalance
            rebalance_timeout_ms=max(session_timeout_ms, 10_000),
            request_timeout_ms=max(session_timeout_ms, 10_000) + 5_000,
            max_poll_interval_ms=300_000,
        )
        self.starting_points = StartingPoints(kafka, self.consumer)

    async def leave(self) -> None:
        """Leaves the group and closes the connections, within LEAVE_S seconds."""
        if not await stop_reading(self.consumer, within_s=LEAVE_S):
            log.warning("the broker is away: the group will notice our absence after the session timeout")

    @property
    def knows_topic(self) -> bool:
        """True when the client has metadata of the topic of chunks."""
        return bool(self.consumer.partitions_for_topic(self.names.chunks))

    async def learn_topic(self) -> None:
        """Waits until the client knows the topic: a member that joins without it may assign nothing to anybody."""
        while not self.knows_topic:
            await refresh_metadata(self.consumer, self.names.chunks)
            await asyncio.sleep(RETRY_S)

    def make_producer(self, tp: TopicPartition) -> AIOKafkaProducer:
        """Makes the partition's producer. All its producers have one transactional id: a new one fences the former."""
        return make_transactional_producer(self.kafka, self.names.worker_id(tp.partition))
