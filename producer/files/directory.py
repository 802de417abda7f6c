"""The watched directory: what is in it, and files opened without leaving it."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from producer.errors import ChangedError, SettingsError
from producer.files.paths import Wanted
from schemas.paths import escape

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A file as a scan saw it. `path` is the document's; `place` is where to open it, relative to the tree."""

    path: str
    place: str
    size_bytes: int
    mtime_ns: int


@dataclass(slots=True)
class Listing:
    """What a scan found. `problems`: why by path, for what could not be read; `skipped`: for what never will be."""

    files: list[Found] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


class Tree:
    """A directory and all below it. No call follows a symbolic link to a place outside."""

    def __init__(self, root: Path, wanted: Wanted) -> None:
        """Raises SettingsError when `root` is not a directory that can be read."""
        try:
            self.root = root.resolve(strict=True)
            os.close(os.open(self.root, _DIRECTORY))
        except NotADirectoryError:
            raise SettingsError(f"--input-dir {root}: not a directory") from None
        except OSError as exc:
            raise SettingsError(f"--input-dir {root}: {exc.strerror}") from None
        self._wanted = wanted

    def scan(self) -> Listing:
        """All wanted files, sorted by path so that every run takes them in the same order."""
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
            listing.files.append(Found(escape(path), place, status.st_size, status.st_mtime_ns))
        else:
            listing.skipped[escape(path)] = _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")

    def _look_at_link(self, path: str, listing: Listing) -> None:
        """A link to a file of the tree counts as a file; one to a directory would show its files twice, or for ever."""
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
        """The file, each part of its place opened without following a link that may have come since the scan.

        Raises ChangedError when it is not the file that was found any more, OSError when it can't be read.
        """
        with self._parent(found) as (parent, name):
            return _open(name, parent, found)

    def delete(self, found: Found) -> None:
        """Raises as `open` does; who writes to the file in this very moment loses what is written."""
        with self._parent(found) as (parent, name), _open(name, parent, found):
            os.unlink(name, dir_fd=parent)

    def move(self, found: Found, target: Path) -> None:
        """To `target`, where nothing is yet; copied and deleted where that is on another file system."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._parent(found) as (parent, name), _open(name, parent, found) as file:
            try:
                os.rename(name, target, src_dir_fd=parent)
            except OSError as exc:
                if exc.errno != errno.EXDEV:
                    raise
                _copy(file, target)
                check_unchanged(file, found)
                os.unlink(name, dir_fd=parent)

    @contextmanager
    def _parent(self, found: Found) -> Iterator[tuple[int, str]]:
        """The open directory that the file is in, and the file's name there."""
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

    def gone(self, place: str) -> bool:
        """Whether nothing is there; not when that can't be told."""
        try:
            os.lstat(self.root / place)
        except (FileNotFoundError, NotADirectoryError):
            return self.root.is_dir()
        except OSError:
            return False
        return False


def _open(name: str, parent: int, found: Found) -> FileIO:
    file = os.fdopen(os.open(name, _FILE, dir_fd=parent), "rb", buffering=0)
    try:
        check_unchanged(file, found)
    except BaseException:
        file.close()
        raise
    return file


def _copy(file: FileIO, target: Path) -> None:
    """Whole under its name, or not at all."""
    temporary = target.with_name(f".{target.name[:200]}.part")
    status = os.fstat(file.fileno())
    with temporary.open("wb") as copy:
        shutil.copyfileobj(file, copy, 1024 * 1024)
        copy.flush()
        os.fsync(copy.fileno())
    os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
    temporary.replace(target)


def check_unchanged(file: FileIO, found: Found) -> None:
    """Raise ChangedError unless the open file has the size and time of `found`."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise ChangedError("not a regular file any more")
    if (status.st_size, status.st_mtime_ns) != (found.size_bytes, found.mtime_ns):
        raise ChangedError("its size or time changed")
