r"""How a file's path stands in messages: text that any reader can take, and that names one file only.

Each byte of control characters, of line and paragraph separators and of what is not UTF-8 is "\x" and two hexadecimal
digits; a backslash is two.
"""

import os
import re

_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|(\\))")


def unescape(path: str) -> str:
    """The path on disk of `Document.path`, as `os` functions take it."""
    raw = bytearray()
    at = 0
    for found in _ESCAPE.finditer(path):
        raw += os.fsencode(path[at : found.start()])
        raw += b"\\" if found[2] else bytes.fromhex(found[1])
        at = found.end()
    return os.fsdecode(bytes(raw + os.fsencode(path[at:])))
