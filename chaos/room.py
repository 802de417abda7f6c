"""A directory whose free space can be taken away and given back."""

import errno
import resource
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

SIZE_BYTES = 24 * 1024**2
LIMIT_BYTES = 150_000


class Room(ABC):
    @abstractmethod
    def take(self, pid: int) -> None:
        """Leaves no space for what that process writes."""

    @abstractmethod
    def give_back(self, pid: int) -> None:
        """Gives the space back to that process, if it is still there, and to later processes."""


class SmallDisk(Room):
    """A tmpfs that is filled up with a file, so that writes fail with ENOSPC."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def take(self, pid: int) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1024**2, 4096, 1):
                _write_until_full(file, b"\0" * size)

    def give_back(self, pid: int) -> None:
        self._ballast.unlink()


class FileLimit(Room):
    """A limit by RLIMIT_FSIZE, for machines where mounting is not allowed. Larger files fail with EFBIG."""

    def take(self, pid: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (LIMIT_BYTES, resource.RLIM_INFINITY))

    def give_back(self, pid: int) -> None:
        with suppress(ProcessLookupError):  # it was killed, and its limit went with it
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextmanager
def small_room(folder: Path) -> Iterator[Room]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        yield FileLimit()
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _write_until_full(file: IO[bytes], block: bytes) -> None:
    with suppress(BlockingIOError):
        while True:
            try:
                if file.write(block) < len(block):
                    return
            except OSError as exc:
                if exc.errno != errno.ENOSPC:
                    raise
                return
