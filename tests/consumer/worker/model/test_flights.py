import asyncio

import pytest

from consumer.worker.model.flights import Flights, UnwantedError


async def test_equal_calls_under_way_are_one_call():
    flights, started, gate = Flights(), [], asyncio.Event()

    async def fly(wanted):
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

    async def fly(wanted):
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

    async def crash(wanted):
        raise ValueError("no")

    for result in await asyncio.gather(*(flights.join("k", crash) for _ in range(3)), return_exceptions=True):
        assert isinstance(result, ValueError)

    async def fly(wanted):
        return 2

    assert await flights.join("k", fly) == (2, True)


async def test_cancel_ends_all_flights():
    flights, ended = Flights(), []

    async def fly(wanted):
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


@pytest.mark.parametrize("others", [0, 1])
async def test_a_flight_knows_whether_anybody_waits_for_it(others: int):
    flights, gate, seen = Flights(), asyncio.Event(), []

    async def fly(wanted):
        await gate.wait()
        seen.append(wanted())

    joining = [asyncio.create_task(flights.join("k", fly)) for _ in range(1 + others)]
    await asyncio.sleep(0)
    joining[0].cancel()
    await asyncio.sleep(0)
    gate.set()
    async with asyncio.timeout(30):
        while not seen:
            await asyncio.sleep(0)
    await asyncio.gather(*joining, return_exceptions=True)
    await flights.cancel()
    assert seen == [others > 0]


@pytest.mark.parametrize("steps", range(6))
async def test_who_joins_one_that_was_given_up_gets_another(steps: int):
    """Whenever that is: before it is given up, while it ends, or after it."""
    flights, tries = Flights(), []

    async def fly(wanted):
        tries.append(1)
        await asyncio.sleep(0)
        if not wanted():
            raise UnwantedError
        return len(tries)

    first = asyncio.create_task(flights.join("k", fly))
    await asyncio.sleep(0)
    first.cancel()
    for _ in range(steps):
        await asyncio.sleep(0)
    result, leads = await asyncio.wait_for(flights.join("k", fly), 5)
    assert result == len(tries) == 1 + leads
    assert not flights._flying
