"""The generation cache: one entry for each model call, so that no finished completion is paid for twice.

It saves cost and is never the truth: if it fails, work goes on without it.
"""

from typing import Protocol


class Cache(Protocol):
    """Bytes by key. A cache that fails behaves like one without entries; no method raises for that."""

    async def get(self, key: str) -> bytes | None:
        """The entry; None if there is none."""

    async def put(self, key: str, value: bytes) -> None:
        """Returns when the entry will survive the death of this process, or when the cache has failed to store it."""


class NoCache(Cache):
    """A cache without entries, for `--no-cache`."""

    async def get(self, key: str) -> bytes | None:  # noqa: ARG002
        return None

    async def put(self, key: str, value: bytes) -> None: ...
