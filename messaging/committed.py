"""The committed offset of a partition with its metadata, truthfully."""

import asyncio
import logging

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError, for_code

from messaging.access import AccessError
from messaging.client_internals import NONE_COMMITTED, fetch_committed, forget_coordinator, wait_for_coordinator
from messaging.commit_point import CommitPoint

RETRY_S = 0.1
COORDINATOR_MOVED = {15, 16}
log = logging.getLogger(__name__)


async def committed_point(consumer: AIOKafkaConsumer, tp: TopicPartition) -> CommitPoint | None:
    """What the group has committed for `tp`; None if truly nothing. Waits for a coordinator that is away."""
    while True:
        group = await wait_for_coordinator(consumer)
        try:
            code, offset, metadata = await fetch_committed(consumer, tp)
        except KafkaError as exc:
            log.debug("offset fetch for %s failed: %r", tp, exc)
            await asyncio.sleep(RETRY_S)
            continue
        if code == 0:
            return None if offset == NONE_COMMITTED else CommitPoint(offset, metadata)
        if for_code(code) in (GroupAuthorizationFailedError, TopicAuthorizationFailedError):
            raise AccessError(f"not allowed to read offsets of group {group}: {for_code(code).__name__}")
        if code in COORDINATOR_MOVED:
            forget_coordinator(consumer)
        await asyncio.sleep(RETRY_S)
