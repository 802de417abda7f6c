"""A directory that appears whole or not at all, and replaces only what is an export itself."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from consumer.dataset.card import MARK
from consumer.dataset.errors import DatasetError
from consumer.sink.durable import sync_folder

CARD = "README.md"


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A directory to write in; at the end it takes the place of `target`. After an error nothing has changed.

    Its parent is there meanwhile for what is needed on the way, on the same file system.

    Raises DatasetError where `target` holds something else than an export.
    """
    _check_replaceable(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        made = Path(name, "new")
        made.mkdir()
        yield made
        sync_folder(made)
        if target.exists():
            target.rename(Path(name, "old"))  # goes with the temporary directory
        made.rename(target)
        sync_folder(target.parent)


def _check_replaceable(target: Path) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if not target.is_dir() or target.is_symlink():
        raise DatasetError(f"{target} is there and is no directory. Give another --out")
    if any(target.iterdir()) and not _is_export(target / CARD):
        raise DatasetError(f"{target} holds something else than an export. Give another --out, or empty it")


def _is_export(card: Path) -> bool:
    try:
        return f'"{MARK}"' in card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
