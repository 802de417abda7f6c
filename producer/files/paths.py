"""The choice of files by path."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

_TEMPORARY = (".*", "*~", "*.swp", "*.tmp", "*.part", "#*#")
"""Hidden files, and files that editors, browsers and rsync leave while they write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFilter:
    """The files to read. A glob without "/" is matched with the name, any other with the path; "*" matches "/" too."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def directory(self, path: str) -> bool:
        """True when a scan has to enter the directory: it is not hidden, and no glob like `drafts/*` excludes it."""
        hidden = path.rpartition("/")[2].startswith(".")
        return not hidden and not any(fnmatchcase(f"{path}/", glob) for glob in self.exclude if "/" in glob)

    def file(self, path: str) -> bool:
        """True when the file is wanted. `path` is relative to the watched directory."""
        name = path.rpartition("/")[2]
        if any(fnmatchcase(name, glob) for glob in _TEMPORARY):
            return False
        return (not self.include or _matches(path, name, self.include)) and not _matches(path, name, self.exclude)


def _matches(path: str, name: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(path if "/" in glob else name, glob) for glob in globs)
