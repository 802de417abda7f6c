"""Writes files that appear whole or not at all: temporary file, fsync, rename, fsync of the directory.

The sink writes, syncs, renames and removes files only through this module, so that tests can plant faults here.
"""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from configs.failpoints import hit

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Errors that can pass by themselves: somebody makes room, raises a limit or repairs a disk."""
BUFFER_BYTES = 1024 * 1024
TRIES = 10


class TempFile:
    """A file that nobody sees until `publish`. Leaving the `with` block without `publish` removes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb", buffering=BUFFER_BYTES)
        self._published = False
        self.size = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)

    def publish(self, target: Path, *, make_folders: bool = False) -> None:
        """Makes the file durable and gives it the name `target`, in place of an older file. Raises OSError."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        hit("sink.file.whole")
        if make_folders:
            _make_and_move(self.path, target)
        else:
            self.path.replace(target)
        hit("sink.file.named")
        self._published = True
        sync_folder(target.parent)

    def flush(self) -> None:
        """Makes the content readable under `path`; it is not durable, and has not got its name."""
        self._file.flush()

    def discard(self) -> None:
        """Removes the file, unless it was published."""
        with suppress(OSError):  # closing writes the buffer, which may not fit; nobody needs it
            self._file.close()
        if not self._published:
            with suppress(OSError):
                self.path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.discard()


def _make_and_move(path: Path, target: Path) -> None:
    """Moves the file into its folder, which is made again where another sink has just removed it as empty."""
    for _ in range(TRIES):
        with suppress(FileNotFoundError):
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            return
    path.replace(target)


def sync_folder(folder: Path) -> None:
    """Makes renames and removals in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """Removes a folder with everything in it."""
    shutil.rmtree(path, ignore_errors=True)


def write_whole(path: Path, data: bytes) -> None:
    """Writes a small file that appears whole or not at all. Raises OSError."""
    with TempFile(path.with_name(f".{path.name}.tmp")) as file:
        file.write(data)
        file.publish(path)


def is_room_problem(exc: OSError) -> bool:
    """Tells whether the error can pass by itself."""
    return exc.errno in NO_ROOM
