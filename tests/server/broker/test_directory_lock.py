"""The lock between processes: the broker command and the JVM it starts are small Python programs here."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from chaos.waiting import eventually, is_gone
from server.broker.directory_lock import DirectoryLock
from server.errors import ServerError

HOLDER = """
import subprocess, sys
from pathlib import Path
from server.broker.directory_lock import DirectoryLock
lock = DirectoryLock(Path(sys.argv[1]))
lock.acquire(orphan_timeout_s=0, note=print)
child = subprocess.Popen([sys.executable, "-c", sys.argv[2]], pass_fds=(lock.fileno(),), stdout=subprocess.PIPE)
child.stdout.readline()
lock.record(child.pid)
print(child.pid, flush=True)
child.wait()
"""
POLITE = "import time; print(flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"

Hold = Callable[[str], tuple["subprocess.Popen[str]", int]]


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """Starts a holder of the lock with a child of its own; gives both."""
    children: list[int] = []

    def start(child: str) -> "tuple[subprocess.Popen[str], int]":
        command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock"), child]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])
        children.extend((process.pid, int(process.stdout.readline())))
        return process, children[-1]

    yield start
    for pid in children:
        if psutil.pid_exists(pid):
            psutil.Process(pid).kill()


def test_a_second_holder_is_refused_with_the_pid_of_the_first(hold: Hold, tmp_path: Path):
    process, _ = hold(POLITE)
    with pytest.raises(ServerError, match=rf"another broker \(pid {process.pid}\) runs on"):
        DirectoryLock(tmp_path / "lock").acquire(orphan_timeout_s=5, note=print)


def test_a_jvm_that_was_left_is_stopped_and_waited_for(hold: Hold, tmp_path: Path):
    process, child = hold(POLITE)
    process.kill()
    process.wait()
    notes: list[str] = []
    lock = DirectoryLock(tmp_path / "lock")
    lock.acquire(orphan_timeout_s=20, note=notes.append)
    assert f"pid {child}" in notes[0]
    eventually(lambda: is_gone(child))
    lock.release()


def test_the_wait_has_an_end_and_says_what_to_do(hold: Hold, tmp_path: Path):
    process, child = hold(STUBBORN)
    process.kill()
    process.wait()
    with pytest.raises(ServerError, match=f"kill -9 {child}"):
        DirectoryLock(tmp_path / "lock").acquire(orphan_timeout_s=0.3, note=lambda _: None)


def test_a_released_lock_can_be_taken(tmp_path: Path):
    first, second = DirectoryLock(tmp_path / "lock"), DirectoryLock(tmp_path / "lock")
    first.acquire(orphan_timeout_s=0, note=print)
    first.record(None)
    first.release()
    second.acquire(orphan_timeout_s=0, note=print)
    second.release()
