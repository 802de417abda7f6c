"""A crash, or a full disk, at each step that touches the disk: nothing lost, nothing doubled, nothing partial seen."""

import errno
import functools
import itertools
import shutil
import sqlite3

import pytest

from output import durable
from output.errors import IndexDamagedError
from output.index.documents import DocumentTable
from output.index.segments import SegmentTable
from output.index.tables import Index
from output.layout import Layout
from output.segments.naming import covering, list_segments, parse_name
from schemas import FileState, Status
from tests.support.outcomes import make_document, make_entry, make_result
from tests.support.outputs import TOPIC, Topics, open_existing, stored, tree
from tests.support.outputs import live as live_with

A, B, C = make_document("a.md"), make_document("sub/b.md"), make_document("c.md")


live = functools.partial(live_with, formats=("documents", "parquet"))


def made(layout: Layout) -> dict[str, bytes]:
    """All that is derived from the segments."""
    return tree(layout.documents) | tree(layout.root / "parquet")


class Killed(BaseException):
    """The process is gone: nothing that it does afterwards reaches the disk."""


class Faults:
    """Counts the steps; at one of them it strikes, before or after the step is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at: int | None = None
        self.after = False
        self.error: BaseException = Killed()
        self.steps: list[str] = []
        self.struck = False
        monkeypatch.setattr(durable.os, "fsync", lambda descriptor: None)  # slow, and of no effect on a kill
        for owner, name in (
            (durable.TempFile, "__init__"), (durable.TempFile, "write"), (durable.TempFile, "publish"),
            (durable.os, "fsync"), (durable.Path, "replace"), (durable.Path, "unlink"),
            (Index, "add_segment"), (SegmentTable, "merge"), (SegmentTable, "forget"), (Index, "add_entries"),
            (DocumentTable, "settle_written"), (DocumentTable, "settle_removed"),
        ):  # fmt: skip
            self._wrap(monkeypatch, owner, name)

    def _wrap(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        original = getattr(owner, name)

        def step(*args: object, **kwargs: object) -> object:
            if self.struck and isinstance(self.error, Killed):
                raise self.error
            number = len(self.steps)
            self.steps.append(name)
            if number == self.at and not self.after:
                self.struck = True
                raise self.error
            value = original(*args, **kwargs)
            if number == self.at:
                self.struck = True
                raise self.error
            return value

        monkeypatch.setattr(owner, name, step)

    def arm(self, at: int | None, *, after: bool, error: BaseException) -> None:
        self.at, self.after, self.error, self.struck, self.steps = at, after, error, False, []


@functools.cache
def topics() -> tuple[Topics, Topics]:
    """What there is in a first life, and all there is in the end."""
    first = Topics(entries=[make_entry(A, 2), make_entry(B, 8), make_entry(C, 0)])
    first.put(make_result(A, 0), make_result(B, 0))
    first.put(*(make_result(B, index) for index in range(1, 8)))
    whole = Topics(list(first.results), list(first.entries))
    whole.put(make_result(A, 1, status=Status.FAILED), b"not a result")
    whole.put(make_result(A, 1, attempt=1))
    whole.entries.append(make_entry(C, 0, state=FileState.FORGOTTEN))
    return first, whole


def nothing_partial(layout: Layout) -> None:
    """What another process sees at this moment."""
    for path in layout.results.glob("[!.]*"):
        assert parse_name(path.name)
        assert path.read_bytes().endswith(b"\n")
    covering(list_segments(layout.results, TOPIC))
    for path in layout.documents.rglob("*.json"):
        assert path.read_bytes().endswith(b"]}\n")
    for path in (layout.root / "parquet").rglob("*.parquet"):
        assert path.read_bytes().endswith(b"PAR1")


async def undisturbed(tmp_path) -> tuple[dict[str, bytes], list[bytes]]:
    layout = Layout(tmp_path / "undisturbed")
    first, whole = topics()
    await live(layout, first)
    await live(layout, whole)
    return made(layout), stored(layout.root)


FAULTS = {
    "killed": Killed,
    "full": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "io": lambda: OSError(errno.EIO, "Input/output error"),
    "damaged": lambda: IndexDamagedError("planted"),
}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_fault_at_any_step_changes_nothing_in_the_end(monkeypatch, tmp_path, kind, after):
    expected = await undisturbed(tmp_path)
    faults = Faults(monkeypatch)
    first, whole = topics()
    begun = Layout(tmp_path / "begun")
    await live(begun, first)
    for at in itertools.count():
        layout = Layout(tmp_path / f"out{at}")
        shutil.copytree(begun.root, layout.root)
        faults.arm(at, after=after, error=FAULTS[kind]())
        try:
            await live(layout, whole)
        except (Killed, OSError, IndexDamagedError) as exc:
            assert exc is faults.error
        if at >= len(faults.steps):
            break
        nothing_partial(layout)
        steps = faults.steps
        faults.arm(None, after=False, error=Killed())
        await live(layout, whole)
        nothing_partial(layout)
        assert (made(layout), stored(layout.root)) == expected, (at, steps)
        assert not list(layout.results.glob(".*")) + list(layout.temp.iterdir())
        with open_existing(layout) as index:
            assert index.totals().records == len(whole.results)
            assert index.totals().waiting == 0
            assert set(index.segments.sizes()) == set(covering(list_segments(layout.results, TOPIC)))
    assert at > 30  # every step was struck, and there were many


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_crash_at_any_step_of_a_merge_changes_nothing(monkeypatch, tmp_path, after):
    faults = Faults(monkeypatch)
    source = Topics(entries=[make_entry(B, 30)])
    for index in range(30):
        source.put(make_result(B, index))
    reference = Layout(tmp_path / "undisturbed")
    await live(reference, source)
    assert len(list_segments(reference.results)) < 15
    first = len(faults.steps) - faults.steps[::-1].index("settle_written")
    for at in range(first, len(faults.steps)):
        layout = Layout(tmp_path / f"out{at}")
        faults.arm(at, after=after, error=Killed())
        with pytest.raises(Killed):
            await live(layout, source)
        nothing_partial(layout)
        assert stored(layout.root) == source.values()
        faults.arm(None, after=False, error=Killed())
        await live(layout, source)
        assert stored(layout.root) == source.values()
        assert made(layout) == made(reference)
        assert len(list_segments(layout.results)) < 15


@pytest.mark.parametrize("name", ["index.sqlite", "index.sqlite-wal"])
@pytest.mark.parametrize("damage", [b"", b"garbage" * 1000, None])
async def test_a_damaged_or_missing_index_is_built_again(tmp_path, name, damage):
    layout, (first, whole) = Layout(tmp_path / "out"), topics()
    await live(layout, first)
    with sqlite3.connect(layout.index) as holding:  # keeps the -wal
        path = layout.home / name
        if damage is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(damage)
    holding.close()
    await live(layout, whole)
    assert (made(layout), stored(layout.root)) == await undisturbed(tmp_path)


async def test_an_index_that_does_not_fit_the_segments_is_named_as_damaged(tmp_path):
    layout, (first, _) = Layout(tmp_path / "out"), topics()
    await live(layout, first)
    segment = covering(list_segments(layout.results))[0]
    (layout.results / segment.name).write_bytes(b"{}\n")
    with pytest.raises(IndexDamagedError, match="bytes, not"):
        await live(layout, first)
    (layout.results / segment.name).unlink()
    with pytest.raises(IndexDamagedError, match="is gone"):
        await live(layout, first)
