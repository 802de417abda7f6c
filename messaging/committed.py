"""The committed offset of a partition with its metadata, truthfully.

aiokafka's `committed()` drops the metadata and ignores the response's top-level error: while a coordinator loads, it
says that nothing is committed, which reads as "start over". So the request is sent here, and its error is looked at.
"""

import asyncio
import logging

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest

from messaging.access import AccessError
from messaging.commit_point import CommitPoint

RETRY_S = 0.1
COORDINATOR_MOVED = {15, 16}
NONE_COMMITTED = -1
log = logging.getLogger(__name__)


async def committed_point(consumer: AIOKafkaConsumer, tp: TopicPartition) -> CommitPoint | None:
    """What the group has committed for `tp`; None if truly nothing. Waits for a coordinator that is away."""
    coordinator = consumer._coordinator  # noqa: SLF001 - no public call gives the metadata or the error
    while True:
        await coordinator.ensure_coordinator_known()
        request = OffsetFetchRequest(coordinator.group_id, [(tp.topic, [tp.partition])])
        try:
            response = await coordinator._send_req(request)  # noqa: SLF001
        except KafkaError as exc:
            log.debug("offset fetch for %s failed: %r", tp, exc)
            await asyncio.sleep(RETRY_S)
            continue
        _, offset, metadata, partition_error = response.topics[0][1][0] if response.topics else (0, -1, "", -1)
        code = response.error_code or partition_error
        if code == 0:
            return None if offset == NONE_COMMITTED else CommitPoint(offset, metadata or "")
        if for_code(code) in (GroupAuthorizationFailedError, TopicAuthorizationFailedError):
            raise AccessError(f"not allowed to read offsets of group {coordinator.group_id}: {for_code(code).__name__}")
        if code in COORDINATOR_MOVED:
            coordinator.coordinator_dead()
        await asyncio.sleep(RETRY_S)
