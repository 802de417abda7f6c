r"""How a file's path and its directory stand in messages: text that any reader can take, and that names one file only.

Each byte of control characters, of line and paragraph separators and of what is not UTF-8 is "\x" and two hexadecimal
digits; a backslash is two.
"""

import os
import re
import unicodedata
from pathlib import Path

_ESCAPED = frozenset(("Cc", "Cs", "Zl", "Zp"))
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|(\\))")


def source_name(root: Path) -> str:
    """`Document.source` of a directory: the last part of its absolute path, with "-" for what can't be in it."""
    return re.sub(r"[^\w.-]+", "-", escape(root.absolute().name)).strip("-") or "input"


def escape(path: str) -> str:
    """`Document.path` of a path, which is relative to its directory and as `os` functions give it."""
    if path.isascii() and path.isprintable() and "\\" not in path:
        return path
    return "".join(map(_escape_char, path))


def _escape_char(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if unicodedata.category(char) in _ESCAPED:
        return "".join(f"\\x{byte:02x}" for byte in os.fsencode(char))
    return char


def unescape(path: str) -> str:
    """The path on disk of `Document.path`, as `os` functions take it."""
    raw = bytearray()
    at = 0
    for found in _ESCAPE.finditer(path):
        raw += os.fsencode(path[at : found.start()])
        raw += b"\\" if found[2] else bytes.fromhex(found[1])
        at = found.end()
    return os.fsdecode(bytes(raw + os.fsencode(path[at:])))
