"""One broker for a data directory, also across kill -9."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from server.errors import BrokerError

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who wrote the lock file: the broker command, and the JVM it started."""

    pid: int | None
    jvm: int | None


class DirectoryLock:
    """flock(2) on a file, which the JVM inherits: it is held until the last of the two is gone.

    So a broker that was killed while its JVM lives on can be told from one that runs: its pid is gone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self, *, orphan_timeout_s: float, note: Callable[[str], None]) -> None:
        """Take the lock; wait for a JVM that a killed broker left. Raises BrokerError if a broker runs."""
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
            holder = self._holder(file)
            if holder.pid is None or _alive(holder.pid):
                raise BrokerError(
                    f"another broker (pid {holder.pid or 'unknown'}) runs on {self._path.parent}. "
                    "Use that one, stop it, or give another --data-dir"
                )
            if not noted:
                note(f"Waiting for Kafka (pid {holder.jvm}), left by the killed broker {holder.pid}, to stop")
                _terminate(holder.jvm)
                noted = True
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"Kafka (pid {holder.jvm}), left by a killed broker, still runs on {self._path.parent} "
                    f"after {orphan_timeout_s:.0f} s. End it with: kill -9 {holder.jvm}"
                )
            time.sleep(_POLL_S)

    def record(self, jvm: int | None) -> None:
        file = self._held()
        file.seek(0)
        file.truncate()
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

    @staticmethod
    def _holder(file: IO[str]) -> _Holder:
        file.seek(0)
        try:
            content = json.loads(file.read())
            return _Holder(pid=int(content["pid"]), jvm=content["jvm"])
        except (ValueError, KeyError, TypeError):  # it was taken this moment and is not written yet
            return _Holder(pid=None, jvm=None)


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
        return True
    return True


def _terminate(jvm: int | None) -> None:
    """On Linux the kernel has asked it already (PR_SET_PDEATHSIG); elsewhere nobody has."""
    if jvm is not None:
        try:
            os.kill(jvm, signal.SIGTERM)
        except OSError:
            return
