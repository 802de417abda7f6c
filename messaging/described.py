"""Topics as a broker describes them, with what we may do to them (KIP-430). Never creates one by asking."""

from dataclasses import dataclass

from aiokafka.errors import TopicAuthorizationFailedError, for_code

from messaging.client_internals import NO_OPERATIONS, BareClient, ask_for_topics
from messaging.roles import Operation

_BITS: dict[Operation, int] = {"READ": 3, "WRITE": 4, "CREATE": 5, "DESCRIBE": 8}
"""Of org.apache.kafka.common.acl.AclOperation."""


@dataclass(frozen=True, slots=True)
class Described:
    """`partitions` is 0 while one has no leader; `operations` is NO_OPERATIONS by brokers older than 2.3."""

    partitions: int
    operations: int

    def allows(self, operation: Operation) -> bool:
        return self.operations == NO_OPERATIONS or bool(self.operations >> _BITS[operation] & 1)


async def describe(client: BareClient, topics: list[str]) -> dict[str, Described]:
    """Those of `topics` that exist. Raises TopicAuthorizationFailedError, and KafkaError when no broker answers."""
    found, hidden = {}, set()
    for topic in await ask_for_topics(client, topics):
        if for_code(topic["error_code"]) is TopicAuthorizationFailedError:
            hidden.add(topic["topic"])
        elif topic["error_code"] == 0:
            ready = all(partition["error_code"] == 0 for partition in topic["partitions"])
            partitions = len(topic["partitions"]) if ready else 0
            found[topic["topic"]] = Described(partitions, topic.get("authorized_operations", NO_OPERATIONS))
    if hidden:
        raise TopicAuthorizationFailedError(hidden)
    return found
