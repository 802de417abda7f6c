"""Topics are made by us with their properties written down, by whichever process starts first."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from configs.errors import QAStreamError
from configs.settings import Settings
from messaging.connection import RETRY_S, BrokerUnreachableError, admin_client
from schemas.topics import TopicNames

READY_S = 60.0
MOST_COPIES = 3
T = TypeVar("T")
log = logging.getLogger(__name__)


class TopicError(QAStreamError):
    """A topic could not be created, or is not what we need."""


async def ensure_topics(settings: Settings, *, patience_s: float | None = None) -> dict[str, int]:
    """Create what is missing, wait until every partition has a leader; partitions by topic.

    Raises TopicError, with the broker's reason, and BrokerUnreachableError after `patience_s` seconds without a broker.
    """
    return await _patiently(lambda admin: _ensured(admin, settings), settings, patience_s)


async def cluster_id(settings: Settings, *, patience_s: float | None = None) -> str:
    """Identifies the Kafka cluster; an output directory belongs to one."""
    return await _patiently(_described, settings, patience_s)


async def _patiently(
    ask: Callable[[AIOKafkaAdminClient], Awaitable[T]], settings: Settings, patience_s: float | None
) -> T:
    """What `ask` gives. A broker that goes away meanwhile is asked again, by a new client."""
    began = time.monotonic()
    while True:
        try:
            async with admin_client(settings, patience_s=patience_s) as admin:
                return await ask(admin)
        except KafkaError as exc:
            if not exc.retriable:
                raise
            if patience_s is not None and time.monotonic() - began >= patience_s:
                raise BrokerUnreachableError(f"the Kafka broker at {settings.brokers} went away: {exc}") from exc
            log.warning("the Kafka broker at %s went away; asking again", settings.brokers)
        await asyncio.sleep(RETRY_S)


async def _ensured(admin: AIOKafkaAdminClient, settings: Settings) -> dict[str, int]:
    names = TopicNames(settings.namespace)
    deadline = time.monotonic() + READY_S
    while True:
        present = await _partitions(admin, list(names.configs))
        missing = [topic for topic in names.configs if topic not in present]
        if not missing and all(present.values()):
            return present
        if time.monotonic() > deadline:
            raise TopicError(f"topics without a leader after {READY_S:.0f} s: {', '.join(names.configs)}")
        await _create(admin, settings, missing)
        await asyncio.sleep(0.1)


async def _described(admin: AIOKafkaAdminClient) -> str:
    cluster: dict[str, Any] = await admin.describe_cluster()
    return str(cluster["cluster_id"])


async def _partitions(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, int]:
    """Partitions of those topics that exist; 0 for one with a partition that has no leader yet."""
    found = {}
    for topic in await admin.describe_topics(topics):
        if topic["error_code"] == 0:
            ready = all(p["error_code"] == 0 for p in topic["partitions"])
            found[topic["topic"]] = len(topic["partitions"]) if ready else 0
    return found


async def _create(admin: AIOKafkaAdminClient, settings: Settings, topics: list[str]) -> None:
    if not topics:
        return
    configs = TopicNames(settings.namespace).configs
    copies = settings.replication_factor or min(MOST_COPIES, len((await admin.describe_cluster())["brokers"]))
    wanted = [NewTopic(topic, settings.partitions, copies, topic_configs=configs[topic]) for topic in topics]
    try:
        response = await admin.create_topics(wanted)
    except TopicAlreadyExistsError:
        return
    except KafkaError as exc:
        raise TopicError(f"could not create {', '.join(topics)}: {exc}") from exc
    for topic, code, message in response.topic_errors:  # the library returns errors and does not raise them
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError and not error.retriable:
            raise TopicError(f"could not create {topic}: {message or error.__name__}")
        if not code:
            log.info("created topic %s with %d partitions", topic, settings.partitions)
