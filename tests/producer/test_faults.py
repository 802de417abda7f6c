"""Every fault at every step of a file's way to Kafka: in the end it is there as it is on disk, each chunk once."""

import errno
import itertools
import os
from collections.abc import Callable
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import pytest

from producer.files.directory import Directory
from producer.files.paths import PathFilter
from producer.files.source import Found
from producer.text import reading
from schemas import FileState
from tests.producer.publishing.test_batches import Bench, write

PARTS = [f"Wafer {n} is exposed at 193 nm. Its layer {n % 7} is then etched for {n * 3} seconds." for n in range(200)]
WHOLE, HALF, OTHER = ("\n\n".join(part) for part in (PARTS, PARTS[:90], PARTS[50:170]))
"""In ASCII, which is decoded as it comes; of anything else much is held back to tell the encoding from."""
LIVES = 5


class Killed(BaseException):
    """Nothing in the program catches it."""


class SteppedDirectory(Directory):
    """A directory in which opening a file, and every use of an open one, is a step."""

    def __init__(self, root: Path, hit: Callable[[], None]) -> None:
        super().__init__(root, PathFilter())
        self._hit = hit

    def open(self, found: Found) -> FileIO:
        self._hit()
        hit = self._hit

        class SteppedFile(FileIO):
            def read(self, size: int | None = -1, /) -> bytes | None:
                hit()
                return super().read(size)

        with super().open(found) as file:
            return SteppedFile(os.dup(file.fileno()), "rb")

    def check_unchanged(self, file: BinaryIO, found: Found) -> None:
        self._hit()
        super().check_unchanged(file, found)


class Steps:
    """Counts the steps of a file and of Kafka, and does something else at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._at: int | None = None
        self._fault: Callable[[], None] = lambda: None
        monkeypatch.setattr(reading, "BLOCK_BYTES", 1000)

    def arm(self, at: int | None, fault: Callable[[], None]) -> None:
        self.count, self._at, self._fault = 0, at, fault

    def hit(self) -> None:
        self.count += 1
        if self.count == self._at:
            self._fault()


def killed(_: Path) -> None:
    raise Killed


def io_error(_: Path) -> None:
    raise OSError(errno.EIO, "Input/output error")


def replaced(path: Path) -> None:
    aside = path.with_name(".aside")
    aside.write_text(OTHER)
    aside.rename(path)


def grown(path: Path) -> None:
    with path.open("a") as file:
        file.write(OTHER)


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "killed": (killed, WHOLE),
    "io": (io_error, WHOLE),
    "gone": (Path.unlink, WHOLE),
    "cut": (lambda path: os.truncate(path, len(HALF.encode())), HALF),
    "grown": (grown, WHOLE + OTHER),
    "replaced": (replaced, OTHER),
}
"""What happens, and what the file holds after it; one that is gone comes back."""


def live(bench: Bench, steps: Steps, slices: int) -> None:
    """As much of a life as the fault leaves: a batch is committed whole or not at all."""
    for batch in bench.batches(slices):
        steps.hit()
        bench.commit(batch)
        steps.hit()


@pytest.mark.parametrize("slices", [4, 1000])
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_at_any_step_changes_nothing_in_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, slices: int
) -> None:
    """`slices`: chunks in a transaction."""
    steps = Steps(monkeypatch)
    fault, expected = FAULTS[kind]
    for at in itertools.count(1):
        root = tmp_path / str(at)
        root.mkdir()
        bench = Bench(root, files=SteppedDirectory(root, steps.hit))
        path = write(bench, WHOLE)
        steps.arm(at, lambda path=path: fault(path))  # type: ignore[misc]
        try:
            live(bench, steps, slices)
        except Killed:
            assert kind == "killed"
        except OSError as exc:
            assert (kind, exc.errno) == ("io", errno.EIO)  # at the commit: the watcher begins anew
        if steps.count < at:
            break
        steps.arm(None, lambda: None)
        if kind == "gone":
            write(bench, WHOLE)
        for _ in range(LIVES):
            live(bench, steps, slices)
        entry = bench.entry()
        assert entry.state is FileState.COMPLETE, (kind, at)
        assert entry.sha256 == sha256(expected.encode()).hexdigest()
        assert "".join(text for _, text in published(bench, entry.document.version)) == expected
        for version, last in {entry.document.version: entry for entry in bench.entries}.items():
            assert [index for index, _ in published(bench, version)] == list(range(last.chunks)), (kind, at)
    assert at > 15  # every step was struck, and there were many


def published(bench: Bench, version: int) -> list[tuple[int, str]]:
    return sorted((chunk.index, chunk.text) for chunk in bench.chunks if chunk.document.version == version)
