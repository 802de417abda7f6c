"""One sink for a partition in an output directory, also across kill -9: the kernel releases the locks of the dead.

Each partition of a share has a lock. A sink of all partitions, however many there are, has `sink.lock` to itself; those
of some share it.
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
def output_lock(layout: Layout) -> Iterator[None]:
    """Hold flock(2) on the layout's share. Raises OutputLockedError, which names the holder, and OutputError."""
    with ExitStack() as stack:
        if layout.share.numbers is None:
            _hold(stack, layout.lock, layout)
        else:
            _hold(stack, layout.lock, layout, shared=True)
            for partition in sorted(layout.share.numbers):
                _hold(stack, layout.partition_lock(partition), layout, what=f"partition {partition} ")
        yield


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Wait for the lock on `path`: for what takes a moment and is done by several sinks."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _hold(stack: ExitStack, path: Path, layout: Layout, *, shared: bool = False, what: str = "") -> None:
    """Until the stack ends. A shared lock is not signed."""
    file = stack.enter_context(_open(path))
    if not _taken(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
        holders = _sharing(layout) or [_holder(file)]
        raise OutputLockedError(
            f"another sink ({', '.join(holders)}) writes {what}to {layout.root}. One is enough for a partition: stop "
            f"it, or give another --output-dir{', or other --partitions' if layout.share.numbers else ''}"
        )
    if not shared:
        _sign(file)


def _taken(file: IO[bytes], kind: int) -> bool:
    """Not at the first refusal: one that looks who holds what has it for a moment (`_sharing`)."""
    for _ in range(TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return True
        time.sleep(PAUSE_S)
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
    except (ValueError, KeyError, TypeError):  # it was taken this moment and is not signed yet
        return "just started"


def _sharing(layout: Layout) -> list[str]:
    """Those that hold a partition each, where it is all of them that are asked for: `sink.lock` does not name them."""
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
