"""Reading the end of a log that other processes write."""

import os
from pathlib import Path


def tail(path: Path, most: int, *, start: int = 0) -> bytes:
    """The last `most` bytes of what stands from byte `start` on; of all, where the log was cut since it was so long."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(start if start <= size else 0, size - most))
        return file.read()
