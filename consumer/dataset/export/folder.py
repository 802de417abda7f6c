"""Makes a directory that appears whole or not at all, and that only replaces an earlier export."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from consumer.dataset.errors import DatasetError
from consumer.dataset.export.card import MARK
from output.durable import sync_folder

CARD = "README.md"
_NEW, _OLD, _POOL = "new", "old", "pairs.sqlite"


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yields a new directory, which takes the place of `target` at the end. After an error nothing has changed.

    Its parent may hold other temporary files. Raises DatasetError where `target` holds something else than an export.
    """
    _check_replaceable(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _workshop(target) as folder:
        made = folder / _NEW
        made.mkdir()
        yield made
        sync_folder(made)
        if target.exists():
            target.rename(folder / _OLD)  # removed with `folder`
        made.rename(target)
        sync_folder(target.parent)


def pool_file(made: Path) -> Path:
    """Returns the database of the pairs, beside the new directory while that is made."""
    return made.with_name(_POOL)


@contextmanager
def _workshop(target: Path) -> Iterator[Path]:
    """Yields a hidden directory beside `target`, which is removed at the end. First it removes those of killed exports.

    A lock on the directory says that its owner is alive; one on the parent protects the time before that lock.
    """
    with ExitStack() as stack:
        with _locked(target.parent):
            for left in target.parent.glob(f".{target.name}.*"):
                _clear(left)
            folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
            stack.enter_context(_locked(folder))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


@contextmanager
def _locked(folder: Path, *, kind: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Holds a lock on a directory."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


def _clear(left: Path) -> None:
    """Removes a hidden directory, unless an export works in it or it is not an export's."""
    if left.is_symlink() or not left.is_dir() or any(not _is_ours(path.name) for path in left.iterdir()):
        return
    with suppress(BlockingIOError), _locked(left, kind=fcntl.LOCK_EX | fcntl.LOCK_NB):
        shutil.rmtree(left)


def _is_ours(name: str) -> bool:
    return name in (_NEW, _OLD) or name.startswith(_POOL)


def _check_replaceable(target: Path) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if not target.is_dir() or target.is_symlink():
        raise DatasetError(f"{target} exists and is not a directory. Give another --out")
    if any(target.iterdir()) and not _is_export(target / CARD):
        raise DatasetError(f"{target} holds something else than an export. Give another --out, or empty it")


def _is_export(card: Path) -> bool:
    try:
        return f'"{MARK}"' in card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
