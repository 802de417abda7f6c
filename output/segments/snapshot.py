"""A still picture of the segments, while a sink may go on writing and merging: hard links cost no space and no time."""

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
    """An output directory with the segments that count now; removed at the end. Raises OutputError, SegmentsError."""
    try:
        _remove_abandoned(layout.home)
        root = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=layout.home))
    except OSError as exc:
        raise OutputError(
            f"{layout.home}: {exc.strerror}; segments are linked there, to look at them in peace"
        ) from exc
    try:
        picture = Layout(root)
        try:
            picture.make()
            _link(layout, picture)
        except OSError as exc:
            raise OutputError(f"{root}: {exc.strerror}; segments are linked there, to look at them in peace") from exc
        yield picture
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _link(layout: Layout, picture: Layout) -> None:
    """All segments of one moment: after a merge in the midst of it, what the merged one covers counts no more."""
    for _ in range(TRIES):
        if all(_link_one(layout, picture, segment) for segment in covering(list_segments(layout.results))):
            return
    raise OutputError(f"{layout.results} changes faster than it can be looked at")


def _link_one(layout: Layout, picture: Layout, segment: Segment) -> bool:
    try:
        (picture.results / segment.name).hardlink_to(layout.results / segment.name)
    except FileExistsError:
        return True
    except FileNotFoundError:
        return False
    return True


def _remove_abandoned(home: Path) -> None:
    """What a killed process has left would keep merged segments on the disk."""
    for path in home.glob(f"{PREFIX}*-*"):
        if not Path(f"/proc/{path.name.split('-')[1]}").exists():
            shutil.rmtree(path, ignore_errors=True)
