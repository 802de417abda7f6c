"""Names: of the source, of documents, and which files are none of our business."""

import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

_ESCAPED = frozenset(("Cc", "Cs", "Zl", "Zp"))
_TEMPORARY = (".*", "*~", "*.swp", "*.tmp", "*.part", "#*#")
"""Hidden files, and what editors, browsers and rsync leave while they write."""


def source_name(root: Path) -> str:
    """The last part of the absolute path, with "-" for what a source name can't have."""
    return re.sub(r"[^\w.-]+", "-", escape(root.absolute().name)).strip("-") or "input"


def escape(path: str) -> str:
    r"""A path as text that any reader can take, and that names one file only.

    Each byte of control characters, of line and paragraph separators and of what is not UTF-8 becomes "\x" and two
    hexadecimal digits; a backslash becomes two. `schemas.paths.unescape` is the way back.
    """
    if path.isascii() and path.isprintable() and "\\" not in path:
        return path
    return "".join(map(_escape_char, path))


def _escape_char(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if unicodedata.category(char) in _ESCAPED:
        return "".join(f"\\x{byte:02x}" for byte in os.fsencode(char))
    return char


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which files are read. A glob without "/" is held to the name, any other to the path; "*" matches "/" too."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def directory(self, name: str) -> bool:
        return not name.startswith(".")

    def file(self, path: str) -> bool:
        """`path` is relative to the watched directory."""
        name = path.rpartition("/")[2]
        if any(fnmatchcase(name, glob) for glob in _TEMPORARY):
            return False
        return (not self.include or _matches(path, name, self.include)) and not _matches(path, name, self.exclude)


def _matches(path: str, name: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(path if "/" in glob else name, glob) for glob in globs)
