"""The generation cache on a Redis server, for workers on several hosts.

Redis bounds and ages it (`maxmemory`, `maxmemory-policy allkeys-lru`). While Redis is away, calls are made without it.
"""

import logging
import time

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from consumer.worker.model.cache import Cache

TIMEOUT_S = 1.0
AWAY_S = 5.0
"""Time without requests to a server that has failed: its time-out must not slow down every call."""
CONNECTIONS = 16
"""Connections of one worker; more look-ups at once wait for one of them."""
PREFIX = "qastream:generation:"
log = logging.getLogger(__name__)


class RedisCache(Cache):
    """A Cache that other workers share over the network."""

    def __init__(self, url: str) -> None:
        pool = BlockingConnectionPool.from_url(  # the default pool refuses requests beyond its size
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 1),
        )
        self._redis = Redis.from_pool(pool)
        self._away_until_s = 0.0

    async def close(self) -> None:
        await self._redis.aclose()

    async def get(self, key: str) -> bytes | None:
        if self._away:
            return None
        try:
            value = await self._redis.get(PREFIX + key)
        except (RedisError, OSError) as exc:
            self._failed(exc)
            return None
        return value if isinstance(value, bytes) else None

    async def put(self, key: str, value: bytes) -> None:
        if self._away:
            return
        try:
            await self._redis.set(PREFIX + key, value)
        except (RedisError, OSError) as exc:
            self._failed(exc)

    @property
    def _away(self) -> bool:
        return time.monotonic() < self._away_until_s

    def _failed(self, exc: Exception) -> None:
        """Logs the word that Redis begins a refusal with (DENIED, MISCONF …): its other words may repeat the entry."""
        if not self._away:
            word = str(exc).partition(" ")[0]
            kind = type(exc).__name__ + (f": {word}" if word.isalpha() and word.isupper() else "")
            log.warning("the shared generation cache failed (%s); calls are made without it", kind)
        self._away_until_s = time.monotonic() + AWAY_S
