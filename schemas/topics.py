"""Names and properties of the topics; a namespace prefixes them all."""

from dataclasses import dataclass

FOREVER = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
COMPACTED = {"cleanup.policy": "compact"}
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""Largest batch a topic takes. One record must stay below half of it; larger ones become dead letters."""


@dataclass(frozen=True)
class TopicNames:
    """Topics, consumer group and transactional ids of one namespace."""

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
        """Topic configs by topic. `qa.chunks` and `qa.results` are the record of what was done: kept without limit."""
        size = {"max.message.bytes": str(MAX_MESSAGE_BYTES)}
        return {
            self.chunks: FOREVER | size,
            self.files: COMPACTED | size,
            self.results: FOREVER | size,
            self.dead_letters: FOREVER | size,
            self.requests: COMPACTED | size,
        }

    def producer_id(self, source: str) -> str:
        """Transactional id of the watcher of `source`: a second copy, or a zombie, is fenced by it."""
        return f"{self.namespace}.producer.{source}"

    @property
    def replay_id(self) -> str:
        """Transactional id of replays: one at a time."""
        return f"{self.namespace}.replay"

    def worker_id(self, partition: int) -> str:
        """Transactional id for results of one input partition: the fence is the partition's, not the process's."""
        return f"{self.group}.{self.chunks}.{partition}"
