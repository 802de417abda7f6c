"""Takes a snapshot of the segments while a sink may write and merge. Hard links need no space and no time."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from output.errors import OutputError
from output.layout import Layout
from output.segments.naming import Segment, covering, list_segments

PREFIX = "snapshot-"
TRIES = 20


@contextmanager
def snapshot(layout: Layout) -> Iterator[Layout]:
    """Yields a temporary output directory with links to the segments that count. Raises OutputError."""
    try:
        _remove_abandoned(layout.home)
        root = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=layout.home))
    except OSError as exc:
        raise _cant_link(layout.home, exc) from exc
    try:
        picture = Layout(root)
        try:
            picture.make()
            _link(layout, picture)
        except OSError as exc:
            raise _cant_link(root, exc) from exc
        yield picture
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _cant_link(folder: Path, exc: OSError) -> OutputError:
    return OutputError(f"{folder}: {exc.strerror}; the check needs links to the segments there")


def _link(layout: Layout, picture: Layout) -> None:
    """Links all segments of one moment. A merge in between is harmless: the parts are covered, so they don't count."""
    for _ in range(TRIES):
        if all(_link_one(layout, picture, segment) for segment in covering(list_segments(layout.results))):
            return
    raise OutputError(f"{layout.results} changes faster than it can be read")


def _link_one(layout: Layout, picture: Layout, segment: Segment) -> bool:
    try:
        (picture.results / segment.name).hardlink_to(layout.results / segment.name)
    except FileExistsError:
        return True
    except FileNotFoundError:
        return False
    return True


def _remove_abandoned(home: Path) -> None:
    """Removes the snapshots of killed processes: their links would keep merged segments on the disk."""
    for path in home.glob(f"{PREFIX}*-*"):
        if not Path(f"/proc/{path.name.split('-')[1]}").exists():
            shutil.rmtree(path, ignore_errors=True)
