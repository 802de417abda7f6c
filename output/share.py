"""The partitions of qa.results that are one sink's: all, or some that are set when it is started."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiokafka.partitioner import DefaultPartitioner

from configs.errors import SettingsError
from configs.ranges import parse_partitions, show_partitions


@dataclass(frozen=True, slots=True)
class Share:
    """`numbers` are those partitions; None: all there are."""

    numbers: frozenset[int] | None = None

    @classmethod
    def parse(cls, text: str) -> "Share":
        """Raises ValueError."""
        return cls(parse_partitions(text))

    @classmethod
    def union(cls, shares: Iterable["Share"]) -> "Share":
        """All, where there are none."""
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
        """Raises SettingsError for a partition that a topic of so many has not."""
        if self.numbers and max(self.numbers) >= count:
            raise SettingsError(
                f"--only-partitions {self}: {topic} has {count} partitions. Takes numbers from 0 to {count - 1}, "
                f"such as {show_partitions(frozenset(range((count + 1) // 2)))}; or all"
            )

    def documents(self, count: int) -> Callable[[str], bool]:
        """Whether a document's results lie in this share of `count` partitions: they have its id for a key."""
        if self.numbers is None:
            return lambda _: True
        numbers, partitions, place = self.numbers, list(range(count)), DefaultPartitioner()
        return lambda document: place(document.encode(), partitions, partitions) in numbers


ALL = Share()
