"""Reads the end of a log that other processes write."""

import os
from pathlib import Path


def tail(path: Path, most: int, *, start: int = 0) -> bytes:
    """Return the last `most` bytes after byte `start`; after byte 0 if the log has become shorter than `start`."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(start if start <= size else 0, size - most))
        return file.read()
