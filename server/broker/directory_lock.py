"""Lets one broker at a time use a data directory, also after kill -9."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from server.errors import ServerError

_POLL_S = 0.1


class DirectoryLock:
    """A lock file, held with flock(2) by the broker command and by its JVM, which inherits it.

    The file names both pids. If the JVM still holds the lock and the command's pid is gone, the command was killed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self, *, orphan_timeout_s: float, note: Callable[[str], None]) -> None:
        """Take the lock; wait for the JVM of a killed broker to end. Raises ServerError if a broker is running."""
        if self._file is not None:
            return
        file = self._path.open("a+", encoding="utf-8")
        try:
            self._take(file, orphan_timeout_s, note)
        except BaseException:
            file.close()
            raise
        self._file = file

    def _take(self, file: IO[str], orphan_timeout_s: float, note: Callable[[str], None]) -> None:
        deadline, noted = time.monotonic() + orphan_timeout_s, False
        while not _try_lock(file):
            command, jvm = _holders(file)
            if command is None or _alive(command):
                raise ServerError(
                    f"another broker (pid {command or 'unknown'}) runs on {self._path.parent}. "
                    "Use that one, stop it, or give another --data-dir"
                )
            if not noted:
                note(f"Waiting for Kafka (pid {jvm}) to stop, left over from the killed broker {command}")
                _terminate(jvm)
                noted = True
            if time.monotonic() > deadline:
                raise ServerError(
                    f"Kafka (pid {jvm}), left over from a killed broker, still runs on {self._path.parent} "
                    f"after {orphan_timeout_s:.0f} s. End it with: kill -9 {jvm}"
                )
            time.sleep(_POLL_S)

    def record(self, jvm: int | None) -> None:
        """Write this process's pid and the JVM's into the lock file."""
        file = self._held()
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "jvm": jvm}) + "\n")
        file.flush()

    def fileno(self) -> int:
        return self._held().fileno()

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _held(self) -> IO[str]:
        assert self._file is not None, "the lock is not held"
        return self._file


def _holders(file: IO[str]) -> tuple[int | None, int | None]:
    """The pids of the broker command and of its JVM; None while they are not written yet."""
    file.seek(0)
    try:
        content = json.loads(file.read())
        return int(content["pid"]), content["jvm"]
    except (ValueError, KeyError, TypeError):
        return None, None


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _terminate(jvm: int | None) -> None:
    """Ask the JVM to stop. On Linux the kernel has done so already (PR_SET_PDEATHSIG)."""
    if jvm is not None:
        with suppress(OSError):
            os.kill(jvm, signal.SIGTERM)
