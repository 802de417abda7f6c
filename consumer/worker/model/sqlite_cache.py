"""The generation cache in a file, shared by the workers of one machine."""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from configs.failpoints import hit
from consumer.worker.model.cache import Cache

T = TypeVar("T")
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, value BLOB NOT NULL, created_s REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (created_s);
"""
GROUP_S = 0.02
"""Time in which entries gather for one transaction."""
BUSY_MS = 5_000
SWITCH_S = 0.01
PRUNE_EVERY = 1_000
"""Entries written between two looks at the size of the file."""
WARN_EVERY_S = 30.0
log = logging.getLogger(__name__)


class SqliteCache(Cache):
    """A Cache in an SQLite database, which one thread of this process reads and writes."""

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cache")
        self._db: sqlite3.Connection | None = None
        self._waiting: list[tuple[str, bytes, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._warned_s = float("-inf")
        self._written = 0
        self._inode = 0

    async def open(self) -> None:
        """Raises OSError if the directory can't be made."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._make_directory)
        await self._call(self._open)

    async def close(self) -> None:
        while self._writer is not None:
            await self._writer
        await self._call(self._close)
        self._thread.shutdown()

    async def get(self, key: str) -> bytes | None:
        return await self._call(lambda: self._get(key))

    async def put(self, key: str, value: bytes) -> None:
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((key, value, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(written)

    async def _write(self) -> None:
        """Commits what has gathered. The futures resolve either way: no answer may wait for a broken cache."""
        await asyncio.sleep(GROUP_S)
        batch, self._waiting, self._writer = self._waiting, [], None
        try:
            await self._call(lambda: self._insert([(key, value, time.time()) for key, value, _ in batch]))
        finally:
            for _, _, written in batch:
                if not written.done():
                    written.set_result(None)

    async def _call(self, function: Callable[[], T | None]) -> T | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, function)

    def _guarded(self, function: Callable[[], T | None]) -> T | None:
        try:
            return function()
        except Exception as exc:  # noqa: BLE001 - a damaged file raises MemoryError, ValueError and more
            self._warn(exc)
            with contextlib.suppress(OSError):
                if _is_corrupt(exc) or self._inode != self._current_inode():  # another worker may have set it aside
                    self._set_aside()
            return None

    def _make_directory(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._inode = self._current_inode()

    def _open(self) -> None:
        self._db = _connect(self._path)
        self._inode = self._current_inode()

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _get(self, key: str) -> bytes | None:
        if self._db is None:
            return None
        row = self._db.execute("SELECT value FROM answers WHERE key = ?", (key,)).fetchone()
        return row[0] if row and isinstance(row[0], bytes) else None  # one flipped bit makes it text

    def _insert(self, rows: list[tuple[str, bytes, float]]) -> None:
        if self._db is None:
            return
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO answers (key, value, created_s) VALUES (?, ?, ?)", rows)
            hit("cache.inserted")
        hit("cache.committed")
        self._written += len(rows)
        if self._written >= PRUNE_EVERY:
            self._written = 0
            self._prune(self._db)

    def _prune(self, db: sqlite3.Connection) -> None:
        """Drops the oldest tenth of the entries if the file is over its size; SQLite reuses the pages."""
        (pages,), (free,), (size,) = (
            db.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size <= self._max_bytes:
            return
        with db:
            db.execute(
                "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY created_s "
                "LIMIT 1 + (SELECT count(*) FROM answers) / 10)"
            )

    def _set_aside(self) -> None:
        """Keeps the damaged file under another name and begins an empty one, unless another worker has just done so."""
        self._close()
        if self._inode == self._current_inode():
            self._rename()
        with contextlib.suppress(sqlite3.Error):
            self._db = _connect(self._path)
            self._inode = self._current_inode()

    def _rename(self) -> None:
        aside = self._path.with_name(f"{self._path.name}.corrupt-{time.time_ns()}")
        with contextlib.suppress(OSError):
            self._path.rename(aside)
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            log.warning("generation cache %s was damaged; set aside as %s and begun anew", self._path, aside.name)

    def _current_inode(self) -> int:
        try:
            return self._path.stat().st_ino
        except FileNotFoundError:
            return 0

    def _warn(self, exc: Exception) -> None:
        if time.monotonic() - self._warned_s > WARN_EVERY_S:
            self._warned_s = time.monotonic()
            why = exc if isinstance(exc, sqlite3.Error) else type(exc).__name__
            log.warning("generation cache %s: %s; calls are made without it", self._path, why)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_MS / 1000, check_same_thread=False)
    try:
        _use_wal(db)
        db.execute("PRAGMA synchronous = NORMAL")  # survives the death of the process, not of the power
        db.executescript(SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _use_wal(db: sqlite3.Connection) -> None:
    """Switches to a write-ahead log. If another process does so at this moment, SQLite refuses without any wait."""
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(SWITCH_S)
        else:
            return


def _is_corrupt(exc: Exception) -> bool:
    return getattr(exc, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
