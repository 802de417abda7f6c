"""Names and properties of the topics. A namespace is the prefix of all names."""

from dataclasses import dataclass

FOREVER = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
COMPACTED = {"cleanup.policy": "compact"}
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""Largest batch that a topic takes, in bytes. A record larger than half of it becomes a dead letter."""


@dataclass(frozen=True)
class TopicNames:
    """The topics, the consumer group and the transactional ids of one namespace."""

    namespace: str = "qa"

    @property
    def chunks(self) -> str:
        return f"{self.namespace}.chunks"

    @property
    def files(self) -> str:
        return f"{self.namespace}.files"

    @property
    def results(self) -> str:
        return f"{self.namespace}.results"

    @property
    def dead_letters(self) -> str:
        return f"{self.namespace}.dead-letters"

    @property
    def requests(self) -> str:
        return f"{self.namespace}.requests"

    @property
    def group(self) -> str:
        return f"{self.namespace}.workers"

    @property
    def configs(self) -> dict[str, dict[str, str]]:
        """Configurations by topic. Chunks and results are kept forever, because they are the record of all work."""
        size = {"max.message.bytes": str(MAX_MESSAGE_BYTES)}
        return {
            self.chunks: FOREVER | size,
            self.files: COMPACTED | size,
            self.results: FOREVER | size,
            self.dead_letters: FOREVER | size,
            self.requests: COMPACTED | size,
        }

    def producer_id(self, source: str) -> str:
        """Return the transactional id of the producer of `source`. It fences a second or an earlier one."""
        return f"{self.namespace}.producer.{source}"

    @property
    def replay_id(self) -> str:
        """Transactional id of replays, of which one runs at a time."""
        return f"{self.namespace}.replay"

    def worker_id(self, partition: int) -> str:
        """Return the transactional id for the results of one input partition. Its next owner fences the last one."""
        return f"{self.group}.{self.chunks}.{partition}"
