import asyncio
import time

from producer.alarm import Alarm


async def test_a_pause_ends_when_it_rings() -> None:
    alarm = Alarm()
    alarm.ring()
    began = time.monotonic()
    await alarm.pause(60, least_s=0.01)
    assert 0.01 <= time.monotonic() - began < 30


async def test_stopping_ends_every_pause_at_once() -> None:
    alarm = Alarm()
    alarm.stop()
    await asyncio.wait_for(alarm.pause(3600, least_s=3600), 10)
    assert alarm.stopping
