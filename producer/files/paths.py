"""Which files are none of our business."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

_TEMPORARY = (".*", "*~", "*.swp", "*.tmp", "*.part", "#*#")
"""Hidden files, and what editors, browsers and rsync leave while they write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFilter:
    """Which files are read. A glob without "/" is held to the name, any other to the path; "*" matches "/" too."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def directory(self, path: str) -> bool:
        """Whether to look into it: not where a glob leaves out all that is in it, as `drafts/*`."""
        hidden = path.rpartition("/")[2].startswith(".")
        return not hidden and not any(fnmatchcase(f"{path}/", glob) for glob in self.exclude if "/" in glob)

    def file(self, path: str) -> bool:
        """`path` is relative to the watched directory."""
        name = path.rpartition("/")[2]
        if any(fnmatchcase(name, glob) for glob in _TEMPORARY):
            return False
        return (not self.include or _matches(path, name, self.include)) and not _matches(path, name, self.exclude)


def _matches(path: str, name: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(path if "/" in glob else name, glob) for glob in globs)
