"""Describes the partitions of qa.results that one sink writes: all of them, or some."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiokafka.partitioner import DefaultPartitioner

from configs.errors import SettingsError
from configs.ranges import parse_partitions, show_partitions


@dataclass(frozen=True, slots=True)
class Share:
    """A share is a set of partitions. `numbers` is None for all partitions, however many there are."""

    numbers: frozenset[int] | None = None

    @classmethod
    def parse(cls, text: str) -> "Share":
        """Returns the share in a setting such as 0-2,7 or all. Raises ValueError."""
        return cls(parse_partitions(text))

    @classmethod
    def union(cls, shares: Iterable["Share"]) -> "Share":
        """Returns the partitions of all these shares; all partitions where there is no share."""
        numbers: set[int] = set()
        for share in shares:
            if share.numbers is None:
                return share
            numbers |= share.numbers
        return cls(frozenset(numbers) or None)

    def __str__(self) -> str:
        return show_partitions(self.numbers)

    def has(self, partition: int) -> bool:
        return self.numbers is None or partition in self.numbers

    def overlaps(self, other: "Share") -> bool:
        return self.numbers is None or other.numbers is None or bool(self.numbers & other.numbers)

    def check(self, topic: str, count: int) -> None:
        """Raises SettingsError for a partition that a topic with `count` partitions does not have."""
        if self.numbers and max(self.numbers) >= count:
            raise SettingsError(
                f"--only-partitions {self}: {topic} has {count} partitions. Takes numbers from 0 to {count - 1}, "
                f"such as {show_partitions(frozenset(range((count + 1) // 2)))}; or all"
            )

    def documents(self, count: int) -> Callable[[str], bool]:
        """Returns a function that tells by document id, the key of its results, whether a document is in this share.

        The topic has `count` partitions.
        """
        if self.numbers is None:
            return lambda _: True
        numbers, partitions, place = self.numbers, list(range(count)), DefaultPartitioner()
        return lambda document: place(document.encode(), partitions, partitions) in numbers


ALL = Share()
