import asyncio
import os
import sys
from pathlib import Path

import pytest

from chaos.waiting import eventually
from pipeline.errors import PipelineError
from pipeline.run.family import Family

WAITS = """
import signal, sys, time
def end(*_):
    open(sys.argv[1], "a").write(sys.argv[2] + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(600)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"


def waiting(order: Path, name: str) -> list[str]:
    return [sys.executable, "-c", WAITS, str(order), name]


async def test_the_last_started_stops_first(tmp_path: Path):
    family, order = Family(tmp_path), tmp_path / "order"
    children = [
        *family.start({"broker": waiting(order, "broker")}, os.environ, grace_s=10),
        *family.start({n: waiting(order, n) for n in ("worker-1", "worker-2")}, os.environ, grace_s=10),
        *family.start({"producer": waiting(order, "producer")}, os.environ, grace_s=10),
    ]
    eventually(lambda: all(child.log.read_text() for child in children))
    await family.stop()
    names = order.read_text().split()
    assert (names[0], set(names[1:3]), names[3]) == ("producer", {"worker-1", "worker-2"}, "broker")


async def test_a_death_is_reported(tmp_path: Path):
    family = Family(tmp_path)
    family.start({"sink": [sys.executable, "-c", "raise SystemExit('disk full')"]}, os.environ, grace_s=1)
    with pytest.raises(PipelineError, match=r"(?s)sink ended with exit code 1.*disk full"):
        await asyncio.wait_for(family.guard(), 30)


async def test_an_end_without_error_is_a_death_too(tmp_path: Path):
    family = Family(tmp_path)
    family.start({"worker": [sys.executable, "-c", ""]}, os.environ, grace_s=1)
    with pytest.raises(PipelineError, match="exit code 0"):
        await asyncio.wait_for(family.guard(), 30)


async def test_a_child_with_an_end_of_its_own_may_end(tmp_path: Path):
    family, ends = Family(tmp_path), [sys.executable, "-c", ""]
    [producer] = family.start({"producer": ends}, os.environ, grace_s=1, may_end=lambda code: code == 0)
    await producer.wait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(family.guard(), 0.2)


async def test_hurry_shortens_the_grace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipeline.run.family.HURRY_S", 0.1)
    family = Family(tmp_path)
    [deaf] = family.start({"deaf": [sys.executable, "-c", DEAF]}, os.environ, grace_s=600)
    eventually(deaf.log.read_text)
    stop = asyncio.create_task(family.stop())
    family.hurry.set()
    await asyncio.wait_for(stop, 30)
    assert deaf.exit_code == -9
