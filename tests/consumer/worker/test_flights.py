import asyncio

import pytest

from consumer.worker.flights import Flights


async def test_equal_calls_under_way_are_one_call():
    flights, started, gate = Flights(), [], asyncio.Event()

    async def fly():
        started.append(1)
        await gate.wait()
        return "landed"

    joining = [asyncio.create_task(flights.join("k", fly)) for _ in range(5)]
    await asyncio.sleep(0)
    gate.set()
    results = await asyncio.gather(*joining)
    assert len(started) == 1
    assert [value for value, _ in results] == ["landed"] * 5
    assert sum(leads for _, leads in results) == 1


async def test_who_is_cancelled_leaves_the_flight_to_the_others():
    flights, gate = Flights(), asyncio.Event()

    async def fly():
        await gate.wait()
        return 1

    leader = asyncio.create_task(flights.join("k", fly))
    await asyncio.sleep(0)
    follower = asyncio.create_task(flights.join("k", fly))
    await asyncio.sleep(0)
    leader.cancel()
    gate.set()
    assert await follower == (1, False)


async def test_an_error_reaches_everybody_and_the_next_one_flies_again():
    flights = Flights()

    async def crash():
        raise ValueError("no")

    for result in await asyncio.gather(*(flights.join("k", crash) for _ in range(3)), return_exceptions=True):
        assert isinstance(result, ValueError)

    async def fly():
        return 2

    assert await flights.join("k", fly) == (2, True)


async def test_cancel_ends_all_flights():
    flights, ended = Flights(), []

    async def fly():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    waiting = asyncio.create_task(flights.join("k", fly))
    await asyncio.sleep(0.01)
    await flights.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == [1]
