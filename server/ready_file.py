"""A file that tells the starter of a server that it answers, and at which address."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from configs.errors import SettingsError


@contextmanager
def ready_file(path: Path | None, content: Mapping[str, object]) -> Iterator[None]:
    """Write `content` as JSON, whole or not at all, and remove the file when the context ends."""
    if path is None:
        yield
        return
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_text(json.dumps(dict(content)) + "\n", encoding="utf-8")
    staged.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def forget_ready_file(path: Path | None) -> None:
    """Remove the file of an earlier, killed server. Raises SettingsError if the folder can't be written."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise SettingsError(f"--ready-file {path}: {exc.strerror}. Give a file in a folder you may write to") from exc
