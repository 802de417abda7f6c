"""Topics as a broker describes them, with what we may do to them (KIP-430). Never creates one by asking.

aiokafka's own request has neither: it lets a broker with auto.create.topics.enable make what is asked for.
"""

from dataclasses import dataclass
from typing import ClassVar

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NodeNotReadyError, TopicAuthorizationFailedError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from messaging.roles import Operation

NOT_SAID = -(2**31)
_BITS: dict[Operation, int] = {"READ": 3, "WRITE": 4, "CREATE": 5, "DESCRIBE": 8}
"""Of org.apache.kafka.common.acl.AclOperation."""
_PARTITION = (
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", Array(Int32)),
    ("isr", Array(Int32)),
    ("offline_replicas", Array(Int32)),
)


class _Response(Response):  # type: ignore[misc] # the library has no types
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", String()), ("port", Int32), ("rack", String()))),
        ("cluster_id", String()),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String()),
                ("is_internal", Boolean),
                ("partitions", Array(*_PARTITION)),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _Request(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        ("topics", Array(String())),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _Describe(Request[MetadataRequest_v5 | _Request]):  # type: ignore[misc]
    API_KEY: ClassVar[int] = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, kind: type[RequestStruct]) -> RequestStruct:
        return kind(self._topics, False) if kind is MetadataRequest_v5 else kind(self._topics, False, False, True)


@dataclass(frozen=True, slots=True)
class Described:
    """`partitions` is 0 while one has no leader; `operations` is NOT_SAID by brokers older than 2.3."""

    partitions: int
    operations: int

    def allows(self, operation: Operation) -> bool:
        return self.operations == NOT_SAID or bool(self.operations >> _BITS[operation] & 1)


async def describe(client: AIOKafkaClient, topics: list[str]) -> dict[str, Described]:
    """Those of `topics` that exist. Raises TopicAuthorizationFailedError, and KafkaError when no broker answers."""
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker is known yet")
    response = (await client.send(node, _Describe(topics))).to_object()
    found, hidden = {}, set()
    for topic in response["topics"]:
        if for_code(topic["error_code"]) is TopicAuthorizationFailedError:
            hidden.add(topic["topic"])
        elif topic["error_code"] == 0:
            ready = all(partition["error_code"] == 0 for partition in topic["partitions"])
            partitions = len(topic["partitions"]) if ready else 0
            found[topic["topic"]] = Described(partitions, topic.get("authorized_operations", NOT_SAID))
    if hidden:
        raise TopicAuthorizationFailedError(hidden)
    return found
