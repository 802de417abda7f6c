r"""Paths of files as text in messages, printable and unambiguous.

Control characters, line and paragraph separators and bytes that are not UTF-8 are written as "\x" and two hexadecimal
digits for each byte. A backslash is doubled.
"""

import os
import re
import unicodedata
from pathlib import Path

_ESCAPED = frozenset(("Cc", "Cs", "Zl", "Zp"))
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|(\\))")


def source_name(root: Path) -> str:
    """Return the default `Document.source` of a directory: its name, with "-" in place of unusual characters."""
    return re.sub(r"[^\w.-]+", "-", escape(root.absolute().name)).strip("-") or "input"


def escape(path: str) -> str:
    """Turn a path relative to its directory, as `os` functions give it, into a `Document.path`."""
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
    """Turn a `Document.path` into a path that `os` functions take."""
    raw = bytearray()
    at = 0
    for found in _ESCAPE.finditer(path):
        raw += os.fsencode(path[at : found.start()])
        raw += b"\\" if found[2] else bytes.fromhex(found[1])
        at = found.end()
    return os.fsdecode(bytes(raw + os.fsencode(path[at:])))
