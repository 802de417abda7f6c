"""The shared cache on a real Redis, its death included."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.worker.model import redis_cache
from consumer.worker.model.redis_cache import RedisCache
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.redis


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


async def test_what_was_put_is_there_for_another_host(redis_server):
    one, other = RedisCache(redis_server.url), RedisCache(redis_server.url)
    await one.put("k", b"\x00v")
    assert await other.get("k") == b"\x00v"
    assert await other.get("missing") is None
    await one.close()
    await other.close()


async def test_a_crowd_of_lookups_is_served(redis_server, monkeypatch, caplog):
    monkeypatch.setattr(redis_cache, "TIMEOUT_S", 30.0)  # how long it takes is the machine's matter
    cache = RedisCache(redis_server.url)
    await asyncio.gather(*(cache.put(f"k{n}", b"v") for n in range(500)))
    assert await asyncio.gather(*(cache.get(f"k{n}") for n in range(500))) == [b"v"] * 500
    assert not caplog.records
    await cache.close()


async def test_its_death_costs_entries_and_nothing_else(redis_server, monkeypatch, caplog):
    monkeypatch.setattr(redis_cache, "AWAY_S", 0.0)
    cache = RedisCache(redis_server.url)
    await cache.put("k", b"v")
    redis_server.kill()
    await cache.put("lost", b"v")
    assert await cache.get("k") is None
    redis_server.start()
    await cache.put("k", b"again")
    assert await cache.get("k") == b"again"
    assert redis_server.url not in caplog.text, "it may hold a password"
    await cache.close()


async def test_a_dead_server_is_left_alone_for_a_while(redis_server, caplog):
    cache = RedisCache(redis_server.url)
    redis_server.kill()
    for _ in range(100):
        assert await cache.get("k") is None
    assert caplog.text.count("calls are made without it") == 1
    await cache.close()


async def test_a_refusal_is_named_without_what_was_sent(redis_server, caplog):
    cache = RedisCache(redis_server.url)
    await cache._redis.rpush(redis_cache.PREFIX + "secret", "a list")
    assert await cache.get("secret") is None
    assert "failed (ResponseError: WRONGTYPE)" in caplog.text
    assert "secret" not in caplog.text
    await cache.close()
