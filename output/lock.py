"""Holds locks on an output directory. The kernel releases the locks of a dead process, also after kill -9.

A pipeline holds one lock on its whole output directory. A sink holds a lock for each partition of its share; a sink of
all partitions, however many there are, holds `sink.lock` alone, and sinks of some partitions share it.
"""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

import orjson

from output.errors import OutputError, OutputLockedError
from output.layout import Layout

TRIES = 20
PAUSE_S = 0.05


@contextmanager
def pipeline_lock(layout: Layout) -> Iterator[None]:
    """Holds the lock of a running pipeline. Raises OutputLockedError, which names the holder, and OutputError."""
    with _open(layout.pipeline_lock) as file:
        if not _taken(file, fcntl.LOCK_EX, tries=1):
            raise OutputLockedError(
                f"another pipeline ({_holder(file)}) runs on {layout.root}. Stop it, or give another --output-dir"
            )
        _sign(file)
        yield


@contextmanager
def sink_lock(layout: Layout) -> Iterator[None]:
    """Holds the locks of the layout's share. Raises OutputLockedError, which names the holder, and OutputError."""
    with ExitStack() as stack:
        if layout.share.numbers is None:
            _hold(stack, layout.sink_lock, layout)
        else:
            _hold(stack, layout.sink_lock, layout, shared=True)
            for partition in sorted(layout.share.numbers):
                _hold(stack, layout.partition_lock(partition), layout, what=f"partition {partition} ")
        yield


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Waits for the lock on `path` and holds it, for short work that several sinks do."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _hold(stack: ExitStack, path: Path, layout: Layout, *, shared: bool = False, what: str = "") -> None:
    """Holds a lock until `stack` ends. A shared lock does not name its holders."""
    file = stack.enter_context(_open(path))
    if not _taken(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
        holders = _sharing(layout) or [_holder(file)]
        raise OutputLockedError(
            f"another sink ({', '.join(holders)}) writes {what}to {layout.root}. One is enough for a partition: stop "
            f"it, or give another --output-dir{', or other --only-partitions' if layout.share.numbers else ''}"
        )
    if not shared:
        _sign(file)


def _taken(file: IO[bytes], kind: int, *, tries: int = TRIES) -> bool:
    """Tries to lock for a second: a process that looks for holders (`_sharing`) has the lock for a moment."""
    for attempt in range(tries):
        if attempt:
            time.sleep(PAUSE_S)
        with suppress(BlockingIOError):
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return True
    return False


def _open(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+b")
    except OSError as exc:
        raise OutputError(f"{path}: {exc.strerror}. Choose an --output-dir that can be written") from exc


def _sign(file: IO[bytes]) -> None:
    file.seek(0)
    file.truncate()
    file.write(orjson.dumps({"pid": os.getpid(), "host": socket.gethostname()}) + b"\n")
    file.flush()


def _holder(file: IO[bytes]) -> str:
    file.seek(0)
    try:
        holder = orjson.loads(file.read())
        return f"pid {holder['pid']} on {holder['host']}"
    except (ValueError, KeyError, TypeError):  # the holder has just taken it and not signed yet
        return "just started"


def _sharing(layout: Layout) -> list[str]:
    """Returns the holders of partitions for a sink of all partitions, whose `sink.lock` does not name them."""
    if layout.share.numbers is not None:
        return []
    holders = []
    for path in layout.partition_lock(0).parent.glob("*.lock"):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                holders.append(_holder(file))
    return sorted(set(holders))
