import asyncio
import sqlite3
from pathlib import Path

import pytest

from consumer.worker.model.sqlite_cache import SqliteCache, _use_wal


@pytest.fixture
async def make_cache(tmp_path: Path):
    opened = []

    async def make(path: Path = tmp_path / "cache.sqlite", *, max_bytes: int = 2**30) -> SqliteCache:
        cache = SqliteCache(path, max_bytes=max_bytes)
        await cache.open()
        opened.append(cache)
        return cache

    yield make
    for cache in opened:
        await cache.close()


async def test_what_was_put_is_there_for_another_process(make_cache):
    one, other = await make_cache(), await make_cache()
    await asyncio.gather(*(one.put(f"k{i}", b"v%d" % i) for i in range(200)))
    assert [await other.get(f"k{i}") for i in range(200)] == [b"v%d" % i for i in range(200)]
    assert await other.get("missing") is None


@pytest.mark.parametrize("damage", [b"garbage" * 4096, b"SQLite format 3\x00" + b"\xff" * 20_000])
async def test_a_damaged_file_is_set_aside_and_begun_anew(make_cache, tmp_path: Path, damage: bytes, caplog):
    (tmp_path / "cache.sqlite").write_bytes(damage)
    cache = await make_cache()
    await cache.put("k", b"v")
    assert await cache.get("k") == b"v"
    assert [p.read_bytes() for p in tmp_path.glob("*.corrupt-*")] == [damage]
    assert "set aside" in caplog.text


async def test_damage_while_it_is_open_costs_only_the_entries(make_cache, tmp_path: Path):
    path = tmp_path / "cache.sqlite"
    one, other = await make_cache(), await make_cache()
    await asyncio.gather(*(one.put(f"k{i}", b"x" * 1000) for i in range(500)))
    for suffix in ("", "-wal"):
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.write_bytes(b"\xff" * file.stat().st_size)
    for cache in (one, other):
        for i in range(500):
            await cache.get(f"k{i}")
        await cache.put("after", b"v")
    reopened = await make_cache()
    await reopened.put("k", b"v")
    assert await reopened.get("k") == b"v"


@pytest.mark.parametrize("byte", range(-6, 0))
async def test_a_flipped_bit_beside_a_key_costs_the_entry_at_most(make_cache, tmp_path: Path, byte: int):
    """There stand the types and lengths of a row: SQLite makes text of a blob, or Python runs out of memory."""
    key, value = "a" * 32, b"x" * 300
    cache = await make_cache()
    await cache.put(key, value)
    await cache._call(lambda: cache._db.execute("PRAGMA wal_checkpoint").fetchall())
    raw = (tmp_path / "cache.sqlite").read_bytes()
    at = raw.index(key.encode()) + byte
    for bit in range(8):
        path = tmp_path / f"{bit}.sqlite"
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :])
        damaged = await make_cache(path)
        assert isinstance(await damaged.get(key), bytes | None)
        await damaged.put("other", b"v")
        assert await damaged.get("other") in (b"v", None)


async def test_whatever_fails_beside_sqlite_raises_nothing_and_is_said(make_cache, monkeypatch, caplog):
    cache = await make_cache()

    def fails(key):
        raise MemoryError

    monkeypatch.setattr(cache, "_get", fails)
    assert await cache.get("k") is None
    assert "MemoryError; calls are made without it" in caplog.text


async def test_a_full_disk_loses_entries_and_nothing_else(make_cache, monkeypatch, caplog):
    cache = await make_cache()
    await cache.put("before", b"v")

    def full(rows):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(cache, "_insert", full)
    await cache.put("lost", b"v")
    monkeypatch.undo()
    assert await cache.get("before") == b"v"
    assert await cache.get("lost") is None
    await cache.put("after", b"v")
    assert await cache.get("after") == b"v"
    assert "full" in caplog.text


async def test_the_oldest_go_when_it_is_over_its_size(make_cache, monkeypatch, tmp_path: Path):
    monkeypatch.setattr("consumer.worker.model.sqlite_cache.PRUNE_EVERY", 50)
    cache = await make_cache(max_bytes=300_000)
    for i in range(600):
        cache._waiting.clear()
        await asyncio.gather(*(cache.put(f"{i}-{n}", b"x" * 2000) for n in range(5)))
        if i % 20 == 0 and await cache.get("0-0") is None:
            break
    assert await cache.get("0-0") is None
    assert await cache.get(f"{i}-4") is not None


async def test_a_directory_that_can_not_be_made_is_an_error_at_start(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        await _open_below(tmp_path / "file")


async def _open_below(path: Path) -> None:
    cache = SqliteCache(path / "cache.sqlite", max_bytes=2**20)
    await cache.open()


def test_another_process_that_switches_to_wal_at_this_moment_is_waited_for():
    """SQLite says at once that it is busy then, whatever its timeout."""
    asked = []

    class Busy:
        def execute(self, statement: str) -> None:
            asked.append(statement)
            if len(asked) < 3:
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorname = "SQLITE_BUSY"
                raise error

    _use_wal(Busy())
    assert asked == ["PRAGMA journal_mode = WAL"] * 3
