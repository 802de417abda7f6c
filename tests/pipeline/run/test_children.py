import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from chaos.waiting import eventually, is_gone
from pipeline.errors import PipelineError
from pipeline.run.children import Child, wait_for_file
from telemetry.log_file import tail

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def started(tmp_path: Path, code: str) -> Child:
    child = Child("worker", [sys.executable, "-c", code], tmp_path / "logs" / "worker.log")
    child.start(os.environ)
    return child


async def test_the_log_has_both_streams(tmp_path: Path):
    child = started(tmp_path, "import sys; print('out', flush=True); print('err', file=sys.stderr)")
    assert await child.wait() == 0
    assert child.log.read_text().split() == ["out", "err"]


async def test_the_obituary_names_the_child_its_end_and_its_last_words(tmp_path: Path):
    child = started(tmp_path, "print('early'); raise SystemExit('no such recipe')")
    await child.wait()
    text = str(child.obituary())
    assert "worker ended with exit code 1" in text
    assert "no such recipe" in text
    assert str(child.log) in text


async def test_an_earlier_start_has_no_part_in_the_last_words(tmp_path: Path):
    await started(tmp_path, "print('of yesterday')").wait()
    child = started(tmp_path, "raise SystemExit('of today')")
    await child.wait()
    assert "of today" in str(child.obituary())
    assert "of yesterday" not in str(child.obituary())


async def test_a_killed_child_is_said_to_be_killed(tmp_path: Path):
    child = started(tmp_path, "import time; time.sleep(600)")
    child.process.kill()
    await child.wait()
    assert "was killed by SIGKILL" in str(child.obituary())


WRITES_READY = """
import os, time
with open({ready!r} + ".new", "w") as file:
    file.write("here")
os.replace(file.name, {ready!r})
time.sleep(600)
"""


async def test_wrong_settings_of_a_child_are_wrong_settings_of_the_run(tmp_path: Path):
    child = started(tmp_path, "raise SystemExit(2)")
    await child.wait()
    assert child.obituary().exit_code == 2


async def test_a_child_that_ignores_sigterm_is_killed_with_its_own_children(tmp_path: Path):
    child = started(tmp_path, STUBBORN)
    grandchild = int(eventually(lambda: child.log.read_text().strip()))
    await child.stop(grace_s=0.1)
    assert child.poll() == -signal.SIGKILL
    eventually(lambda: is_gone(grandchild))


async def test_ctrl_c_on_the_terminal_does_not_reach_it(tmp_path: Path):
    child = started(tmp_path, "import time; time.sleep(600)")
    assert os.getpgid(child.process.pid) != os.getpgid(0)
    await child.stop(grace_s=5)


async def test_a_log_is_bounded_and_keeps_its_end(tmp_path: Path):
    child = started(tmp_path, "print('x' * 1000 + 'end')")
    await child.wait()
    child.bound_log(100)
    assert child.log.read_bytes() == b""
    assert child.log.with_suffix(".log.1").read_text().endswith("xend\n")


async def test_readiness_is_the_file_that_the_child_writes(tmp_path: Path):
    ready = tmp_path / "ready"
    child = started(tmp_path, WRITES_READY.format(ready=str(ready)))
    assert await asyncio.wait_for(wait_for_file(child, ready), 30) == b"here"
    await child.stop(grace_s=5)


async def test_a_child_that_dies_is_not_waited_for(tmp_path: Path):
    child = started(tmp_path, "raise SystemExit('port taken')")
    with pytest.raises(PipelineError, match="port taken"):
        await asyncio.wait_for(wait_for_file(child, tmp_path / "never"), 30)


def test_tail_is_the_end_of_a_file(tmp_path: Path):
    (tmp_path / "f").write_bytes(b"0123456789")
    assert tail(tmp_path / "f", 3) == b"789"
    assert tail(tmp_path / "f", 99) == b"0123456789"
