"""One sink for an output directory, also across kill -9: the kernel releases the lock of a process that is gone."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import orjson

from consumer.sink.errors import OutputError, OutputLockedError


@contextmanager
def output_lock(path: Path) -> Iterator[None]:
    """Hold flock(2) on `path`. Raises OutputLockedError, which names the holder, and OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as exc:
        raise OutputError(f"{path}: {exc.strerror}. Choose an --output-dir that can be written") from exc
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputLockedError(
                f"another sink ({_holder(file)}) writes to {path.parent.parent}. One is enough: it reads all "
                "partitions. Stop it, or give another --output-dir"
            ) from None
        _sign(file)
        yield


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
