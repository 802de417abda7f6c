"""Topics: how a broker describes them (KIP-430), and how they are made, by whichever process starts first."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, NodeNotReadyError, TopicAlreadyExistsError, for_code

from configs.errors import QAStreamError
from configs.sections import KafkaSettings
from messaging.access import AUTHORIZATION, denial
from messaging.client_internals import NO_OPERATIONS, BareClient, ask_for_topics, client_of
from messaging.connection import RETRY_S, BrokerUnreachableError, admin_client
from messaging.roles import Need, Operation, Role, needs
from schemas.topics import MAX_MESSAGE_BYTES, TopicNames

READY_S = 60.0
MOST_COPIES = 3
_BITS: dict[Operation, int] = {"READ": 3, "WRITE": 4, "CREATE": 5, "DESCRIBE": 8}
"""Numbers of org.apache.kafka.common.acl.AclOperation."""
T = TypeVar("T")
log = logging.getLogger(__name__)


class TopicError(QAStreamError):
    """A topic could not be created, or has no leader."""


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """`partitions` is 0 while one of them has no leader; `operations` is NO_OPERATIONS from brokers older than 2.3."""

    partitions: int
    operations: int
    copies: int = 0

    def allows(self, operation: Operation) -> bool:
        return self.operations == NO_OPERATIONS or bool(self.operations >> _BITS[operation] & 1)


class BadSetting(NamedTuple):
    """A setting of a topic that can lose records or stop the work, its value, the right value, and what it does."""

    name: str
    value: str
    right: str
    harm: str
    refused: bool = False

    def said(self, topic: str, brokers: str) -> str:
        return (
            f"topic {topic} has {self.name}={self.value}: {self.harm}. Mend it: kafka-configs --bootstrap-server "
            f"{brokers} --alter --topic {topic} --add-config {self.name}={self.right}"
        )


async def ensure_topics(
    kafka: KafkaSettings, *, role: Role | None = None, patience_s: float | None = None
) -> dict[str, int]:
    """Create missing topics, wait until all partitions have a leader, and return the number of partitions by topic.

    Raises TopicError with the broker's reason, BrokerUnreachableError after `patience_s` seconds without a broker, and
    AccessError where `role`, the calling process, lacks one of its rights on topics.
    """
    return await _patiently(lambda admin: _ensured(admin, kafka, role), kafka, patience_s)


async def check_access(kafka: KafkaSettings, role: Role, *, patience_s: float | None = None) -> None:
    """Raise AccessError where `role` lacks one of its rights on topics. Creates no topic."""
    wanted = {need.name for need in _needs(kafka, role)}
    topics = [topic for topic in TopicNames(kafka.namespace).configs if topic in wanted]
    await _patiently(lambda admin: _described(admin, kafka, role, topics), kafka, patience_s)


async def cluster_id(kafka: KafkaSettings, *, patience_s: float | None = None) -> str:
    """Return the id of the Kafka cluster. An output directory belongs to one cluster."""
    cluster: dict[str, Any] = await _patiently(AIOKafkaAdminClient.describe_cluster, kafka, patience_s)
    return str(cluster["cluster_id"])


async def _patiently(
    ask: Callable[[AIOKafkaAdminClient], Awaitable[T]], kafka: KafkaSettings, patience_s: float | None
) -> T:
    """Return what `ask` returns. When a broker goes away meanwhile, ask again with a new client."""
    began = time.monotonic()
    while True:
        try:
            async with admin_client(kafka, patience_s=patience_s) as admin:
                return await ask(admin)
        except KafkaError as exc:
            if not exc.retriable:
                raise
            if patience_s is not None and time.monotonic() - began >= patience_s:
                raise BrokerUnreachableError(f"the Kafka broker at {kafka.brokers} went away: {exc}") from exc
            log.warning("the Kafka broker at %s went away; asking again", kafka.brokers)
        await asyncio.sleep(RETRY_S)


async def _ensured(admin: AIOKafkaAdminClient, kafka: KafkaSettings, role: Role | None) -> dict[str, int]:
    names = TopicNames(kafka.namespace)
    deadline = time.monotonic() + READY_S
    while True:
        present = await _described(admin, kafka, role, list(names.configs))
        missing = [topic for topic in names.configs if topic not in present]
        if not missing and all(topic.partitions for topic in present.values()):
            await _check_settings(admin, kafka, present)
            return {name: topic.partitions for name, topic in present.items()}
        if time.monotonic() > deadline:
            raise TopicError(f"topics without a leader after {READY_S:.0f} s: {', '.join(names.configs)}")
        if missing:
            await _create(admin, kafka, missing)
        await asyncio.sleep(0.1)


async def _described(
    admin: AIOKafkaAdminClient, kafka: KafkaSettings, role: Role | None, topics: list[str]
) -> dict[str, TopicDescription]:
    """Describe topics. Raises AccessError where `role` lacks a right on one, or where one is hidden."""
    present = await describe(client_of(admin), topics)
    for need in _needs(kafka, role):
        if need.name in present and not present[need.name].allows(need.operation):
            raise denial(kafka, need.operation, f"topic {need.name}")
    for topic, found in present.items():
        if not found.allows("DESCRIBE"):
            raise denial(kafka, "DESCRIBE", f"topic {topic}")
    return present


async def _check_settings(
    admin: AIOKafkaAdminClient, kafka: KafkaSettings, present: Mapping[str, TopicDescription]
) -> None:
    """Warn of settings that an admin made. Raises TopicError for those under which records vanish at any time.

    Topics whose settings we may not read are passed over.
    """
    configs, found = TopicNames(kafka.namespace).configs, list[tuple[str, BadSetting]]()
    wanted = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in present]
    for response in await admin.describe_configs(wanted):
        for code, _, _, topic, entries, *_ in response.resources:
            if code == 0:
                settings = {entry[0]: entry[1] for entry in entries}
                bad = bad_settings(settings, configs[topic], copies=present[topic].copies)
                found += ((topic, setting) for setting in bad)
    for topic, setting in found:
        log.warning("%s", setting.said(topic, kafka.brokers))
    if refused := [setting.said(topic, kafka.brokers) for topic, setting in found if setting.refused]:
        raise TopicError("\n".join(refused))


def bad_settings(found: Mapping[str, str], wanted: Mapping[str, str], *, copies: int) -> Iterator[BadSetting]:
    """Yield the settings of a topic with `copies` replicas that can lose records or stop the work."""
    policy, wanted_policy = found.get("cleanup.policy", ""), wanted["cleanup.policy"]
    if "compact" in policy and wanted_policy != "compact":
        yield BadSetting("cleanup.policy", policy, wanted_policy, "Kafka removes all records of a key but one", True)
    for name in ("retention.ms", "retention.bytes"):
        if "delete" in policy and (value := found.get(name, "-1")) != "-1":
            yield BadSetting(name, value, "-1", "Kafka removes records beyond it, whether they are done or not")
    size = found.get("max.message.bytes", str(MAX_MESSAGE_BYTES))
    if int(size) < MAX_MESSAGE_BYTES:
        yield BadSetting("max.message.bytes", size, str(MAX_MESSAGE_BYTES), "larger texts and results will fail")
    least = found.get("min.insync.replicas", "1")
    if copies and int(least) > copies:
        harm = f"nothing can be written, because the topic has {copies} replicas"
        yield BadSetting("min.insync.replicas", least, str(copies), harm)


def _needs(kafka: KafkaSettings, role: Role | None) -> list[Need]:
    return needs(role, TopicNames(kafka.namespace)) if role else []


async def _create(admin: AIOKafkaAdminClient, kafka: KafkaSettings, topics: list[str]) -> None:
    configs = TopicNames(kafka.namespace).configs
    copies = kafka.replication_factor or min(MOST_COPIES, len((await admin.describe_cluster())["brokers"]))
    if not copies:
        raise NodeNotReadyError("no broker is known yet")
    wanted = [NewTopic(topic, kafka.partitions, copies, topic_configs=configs[topic]) for topic in topics]
    try:
        response = await admin.create_topics(wanted)
    except TopicAlreadyExistsError:
        return
    except (TimeoutError, AttributeError) as exc:  # no answer; no controller is known
        raise NodeNotReadyError("the controller") from exc
    except KafkaError as exc:
        if exc.retriable:
            raise
        raise TopicError(f"could not create {', '.join(topics)}: {exc}") from exc
    for topic, code, message in response.topic_errors:  # the library returns errors and does not raise them
        error = for_code(code)
        if issubclass(error, AUTHORIZATION):
            raise denial(kafka, "CREATE", f"topic {topic}")
        if code and error is not TopicAlreadyExistsError and not error.retriable:
            raise TopicError(f"could not create {topic}: {message or error.__name__}")
        if not code:
            log.info("created topic %s with %d partitions", topic, kafka.partitions)


async def describe(client: BareClient, topics: list[str]) -> dict[str, TopicDescription]:
    """Describe those of `topics` that exist. A topic that is hidden from us allows no operation. Raises KafkaError."""
    found = {}
    for topic in await ask_for_topics(client, topics):
        if for_code(topic["error_code"]) in AUTHORIZATION:
            found[topic["topic"]] = TopicDescription(0, 0)
        elif topic["error_code"] == 0:
            ready = all(partition["error_code"] == 0 for partition in topic["partitions"])
            partitions = len(topic["partitions"]) if ready else 0
            copies = min((len(partition["replicas"]) for partition in topic["partitions"]), default=0)
            operations = topic.get("authorized_operations", NO_OPERATIONS)
            found[topic["topic"]] = TopicDescription(partitions, operations, copies)
    return found
