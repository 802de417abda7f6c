"""The watched directory: a source of files that never leaves its root."""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from configs.errors import SettingsError
from producer.errors import ChangedError
from producer.files.paths import PathFilter
from producer.files.source import Found, Listing, Source
from producer.files.watch import hint
from schemas.paths import escape, unescape

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


class Directory(Source):
    """A directory of this machine and everything below it. No call follows a symbolic link out of it."""

    def __init__(self, root: Path, wanted: PathFilter) -> None:
        """Raises SettingsError when `root` is not a readable directory."""
        try:
            self.root = root.resolve(strict=True)
            os.close(os.open(self.root, _DIRECTORY))
        except NotADirectoryError:
            raise SettingsError(f"--input-dir {root}: not a directory") from None
        except OSError as exc:
            raise SettingsError(f"--input-dir {root}: {exc.strerror}") from None
        self._wanted = wanted

    def scan(self) -> Listing:
        """Walk the whole directory."""
        listing = Listing()
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self.root / folder) as entries:
                    for entry in entries:
                        self._look(entry, f"{folder}/{entry.name}" if folder else entry.name, listing, folders)
            except OSError as exc:
                listing.problems[escape(folder) or "."] = exc.strerror or str(exc)
        listing.files.sort(key=lambda found: found.path)
        return listing

    def _look(self, entry: os.DirEntry[str], place: str, listing: Listing, folders: list[str]) -> None:
        try:
            if entry.is_symlink():
                self._look_at_link(place, listing)
            elif entry.is_dir(follow_symlinks=False):
                if self._wanted.directory(place):
                    folders.append(place)
            elif self._wanted.file(place):
                self._add(place, place, entry.stat(follow_symlinks=False), listing)
        except FileNotFoundError:
            pass  # gone since the directory was listed
        except OSError as exc:
            listing.problems[escape(place)] = exc.strerror or str(exc)

    def _add(self, path: str, place: str, status: os.stat_result, listing: Listing) -> None:
        if stat.S_ISREG(status.st_mode):
            found = Found(escape(path), place, status.st_size, status.st_mtime_ns, linked=place != path)
            listing.files.append(found)
        else:
            listing.skipped[escape(path)] = _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")

    def _look_at_link(self, path: str, listing: Listing) -> None:
        """List a link to a file of the directory. A link to a directory would list its files twice, or for ever."""
        if not self._wanted.file(path):
            return
        target = Path(os.path.realpath(self.root / path))
        if not target.is_relative_to(self.root):
            listing.skipped[escape(path)] = "a symbolic link out of the watched directory"
        elif target.is_dir():
            listing.skipped[escape(path)] = "a symbolic link to a directory"
        elif target.is_symlink() or not target.exists():
            listing.skipped[escape(path)] = "a symbolic link to nothing"
        else:
            self._add(path, str(target.relative_to(self.root)), target.lstat(), listing)

    def open(self, found: Found) -> FileIO:
        """Open each part of the file's place without following a link that may have come since the scan."""
        with self._parent(found) as (parent, name):
            return _open(name, parent, found)

    @staticmethod
    def check_unchanged(file: BinaryIO, found: Found) -> None:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ChangedError("not a regular file any more")
        if (status.st_size, status.st_mtime_ns) != (found.size_bytes, found.mtime_ns):
            raise ChangedError("its size or time changed")

    def remove(self, found: Found) -> None:
        with self._parent(found) as (parent, name), _open(name, parent, found):
            os.unlink(name, dir_fd=parent)

    def move(self, found: Found, target: Path) -> None:
        """Rename the file; where `target` is on another file system, copy it and delete it here."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._parent(found) as (parent, name), _open(name, parent, found) as file:
            try:
                os.rename(name, target, src_dir_fd=parent)
            except OSError as exc:
                if exc.errno != errno.EXDEV:
                    raise
                _copy(file, target)
                Directory.check_unchanged(file, found)
                os.unlink(name, dir_fd=parent)

    @contextmanager
    def _parent(self, found: Found) -> Iterator[tuple[int, str]]:
        """The open directory that holds the file, and the file's name in it. Raises ChangedError when it is gone."""
        *folders, name = found.place.split("/")
        parent = os.open(self.root, _DIRECTORY)
        try:
            for folder in folders:
                inner = os.open(folder, _DIRECTORY, dir_fd=parent)
                os.close(parent)
                parent = inner
            yield parent, name
        except (FileNotFoundError, NotADirectoryError):
            raise ChangedError("gone") from None
        finally:
            os.close(parent)

    def gone(self, path: str) -> bool:
        try:
            os.lstat(self.root / unescape(path))
        except OSError as exc:
            return isinstance(exc, FileNotFoundError | NotADirectoryError) and self.root.is_dir()
        return False

    def holds(self, directory: Path) -> bool:
        return directory.resolve().is_relative_to(self.root)

    async def watch(self, ring: Callable[[], None], *, retry_s: float) -> None:
        await hint(self.root, ring, retry_s=retry_s)


def _open(name: str, parent: int, found: Found) -> FileIO:
    file = os.fdopen(os.open(name, _FILE, dir_fd=parent), "rb", buffering=0)
    try:
        Directory.check_unchanged(file, found)
    except BaseException:
        file.close()
        raise
    return file


def _copy(file: FileIO, target: Path) -> None:
    """Write a copy that appears at `target` whole or not at all, with the times of the file."""
    temporary = target.with_name(f".{target.name[:200]}.part")
    status = os.fstat(file.fileno())
    with temporary.open("wb") as copy:
        shutil.copyfileobj(file, copy, 1024 * 1024)
        copy.flush()
        os.fsync(copy.fileno())
    os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
    temporary.replace(target)
