from server.broker.probe import wait_until_ready
from server.ports import free_port


async def test_a_dead_process_ends_the_wait():
    assert not await wait_until_ready("127.0.0.1:1", alive=lambda: False, timeout_s=60)


async def test_a_broker_that_never_answers_is_not_ready():
    nobody = f"127.0.0.1:{free_port('127.0.0.1')}"
    assert not await wait_until_ready(nobody, alive=lambda: True, timeout_s=0.2)
