import asyncio

import pytest

from messaging.stopping import StoppedError, unless_stopped


async def test_a_stop_ends_the_waiting_and_what_is_waited_for():
    stop, cancelled = asyncio.Event(), asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    asyncio.get_running_loop().call_soon(stop.set)
    with pytest.raises(StoppedError):
        await unless_stopped(forever(), stop)
    assert cancelled.is_set()


async def test_what_is_done_is_given_also_when_it_is_an_error():
    stop = asyncio.Event()
    assert await unless_stopped(asyncio.sleep(0, "done"), stop) == "done"
    with pytest.raises(TimeoutError):
        await unless_stopped(asyncio.wait_for(asyncio.sleep(9), 0.01), stop)
