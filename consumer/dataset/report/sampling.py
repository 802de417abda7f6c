"""Chooses some of many items by chance. The same items and seed give the same choice, in any order of the items."""

from collections.abc import Iterator
from hashlib import blake2b
from heapq import heappush, heapreplace
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Sampler(Generic[Item]):
    """Keeps the `size` items whose names have the lowest hashes. Each item must have a name of its own."""

    def __init__(self, size: int, *, seed: int = 0) -> None:
        self._size = size
        self._seed = seed
        self._heap: list[tuple[int, str, Item]] = []

    def offer(self, name: str, item: Item) -> None:
        entry = -self._rank(name), name, item
        if len(self._heap) < self._size:
            heappush(self._heap, entry)
        elif self._size and entry[:2] > self._heap[0][:2]:
            heapreplace(self._heap, entry)

    def items(self) -> Iterator[Item]:
        """Yields the chosen items, ordered by the hash of their names."""
        yield from (item for _, _, item in sorted(self._heap, key=lambda entry: entry[:2], reverse=True))

    def _rank(self, name: str) -> int:
        return int.from_bytes(blake2b(f"{self._seed} {name}".encode(), digest_size=8).digest())
