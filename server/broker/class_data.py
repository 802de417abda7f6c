"""An archive of Kafka's classes for the JVM (class data sharing, JEP 310), with which it starts in half the time.

The archive is in the user's cache and belongs to one Java and one set of jars. The first broker lists the classes it
loads. Once it is ready, a JVM of the lowest priority makes the archive from the list while the broker runs. If the
broker stops earlier, the next one makes the archive.
"""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from server.broker import jvm
from server.broker.java import Java
from telemetry.children import ends_with_parent

_CLASSES, _ARCHIVE = "classes.lst", "classes.jsa"  # in the broker's data directory, while in the making


class ClassData:
    """The archive for `java` and `jars`. `work` is a directory for temporary files."""

    def __init__(self, java: Java, jars: Sequence[Path], *, cache: Path, work: Path) -> None:
        self._java = java
        self._jars = list(jars)
        self._cache = cache
        self._work = work
        self.archive = cache / f"classes-{_key(java, jars)}.jsa"
        self._making: subprocess.Popen[bytes] | None = None

    def options(self) -> list[str]:
        """JVM options that use the archive or list classes for it. A JVM that can't use an archive starts without."""
        if self.archive.exists():
            return [f"-XX:SharedArchiveFile={self.archive}"]
        return [f"-XX:DumpLoadedClassList={_CLASSES}"]

    def make(self) -> None:
        """Start to make the archive, unless it exists or another process is making it."""
        if self._making is not None or self.archive.exists() or not (self._work / _CLASSES).exists():
            return
        with (self._cache / ".classes.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._making = subprocess.Popen(  # noqa: S603 - our own command line
                self._command(),
                cwd=self._work,
                env=jvm.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=partial(_in_child, ends_with_parent()),  # noqa: PLW1509 - what it calls is safe after fork
                pass_fds=(lock.fileno(),),  # the lock is held until the archive is done
            )

    def finish(self) -> None:
        """Move a finished archive to its place; abandon an unfinished one."""
        if self._making is None:
            return
        if self._making.poll() is None:
            self._making.kill()
        if self._making.wait() == 0:
            (self._work / _ARCHIVE).replace(self.archive)
        for leftover in (_CLASSES, _ARCHIVE):
            (self._work / leftover).unlink(missing_ok=True)
        self._making = None

    def _command(self) -> list[str]:
        return [
            str(self._java.executable), "-Xshare:dump", "-Xmx512m", "-XX:+UseSerialGC",
            f"-XX:SharedClassListFile={_CLASSES}", f"-XX:SharedArchiveFile={_ARCHIVE}",
            "-cp", os.pathsep.join(map(str, self._jars)),
        ]  # fmt: skip


def _key(java: Java, jars: Sequence[Path]) -> str:
    """A name that changes with the jars and with another Java at the same path."""
    parts = (java.executable, java.executable.stat().st_mtime_ns, *jars)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:12]


def _in_child(end_with_parent: Callable[[], None]) -> None:
    end_with_parent()
    os.nice(19)
