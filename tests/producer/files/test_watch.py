import asyncio
from pathlib import Path

import pytest

from producer.alarm import Alarm
from producer.files import watch
from producer.files.watch import hint


async def test_events_ring(tmp_path: Path) -> None:
    alarm = Alarm()
    hints = asyncio.create_task(hint(tmp_path, alarm.ring, retry_s=60))
    pause = asyncio.create_task(alarm.pause(60, least_s=0))
    number = 0
    while not pause.done():  # the watcher may not have begun at the first file
        number += 1
        (tmp_path / f"{number}.txt").write_text("x")
        await asyncio.wait((pause,), timeout=0.1)
    hints.cancel()
    await asyncio.wait((hints,))
    assert number < 500


async def test_no_failure_of_the_native_watcher_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    async def broken(*_: object, **__: object):
        nonlocal calls
        calls += 1
        raise OSError("inotify watch limit reached")
        yield

    monkeypatch.setattr(watch, "awatch", broken)
    alarm = Alarm()
    hints = asyncio.create_task(hint(tmp_path, alarm.ring, retry_s=0.001))
    while calls < 3:
        await alarm.pause(10, least_s=0)
    hints.cancel()
    await asyncio.wait((hints,))
