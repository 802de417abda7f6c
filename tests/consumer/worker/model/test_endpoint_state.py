import asyncio

import pytest

from consumer.worker.model.endpoint_state import EndpointState


@pytest.mark.parametrize("back", [True, False])
async def test_the_first_look_after_a_loss_shows_whether_the_server_died(back: bool) -> None:
    state = EndpointState()
    state.came_back("root")
    assert state.lost()
    died = asyncio.create_task(state.died())
    await asyncio.sleep(0)
    assert not died.done()
    state.looked(back=back)
    state.looked(back=not back)  # a later look does not change it
    assert await died is not back


async def test_a_server_that_is_away_can_not_be_lost_again() -> None:
    state = EndpointState()
    assert state.away
    assert not state.lost()
    state.came_back("root")
    assert (state.lost(), state.lost(), state.away, state.root) == (True, False, True, "root")


async def test_the_watcher_is_woken_once_by_a_loss() -> None:
    state = EndpointState()
    state.came_back("root")
    waiting = asyncio.create_task(state.wait_for_loss(within_s=600))
    await asyncio.sleep(0)
    state.lost()
    await asyncio.wait_for(waiting, 30)
    again = asyncio.create_task(state.wait_for_loss(within_s=600))
    await asyncio.sleep(0.01)
    assert not again.done()
    again.cancel()
