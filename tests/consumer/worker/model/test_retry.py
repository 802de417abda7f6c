import asyncio

import pytest

from consumer.worker.model.retry import ATTEMPTS, CallFailedError, Waits, call_until_answered
from inference.errors import (
    MalformedError,
    OutageError,
    OverloadError,
    RefusedError,
    TransientError,
    TruncatedError,
)

QUICK = Waits(longest_s=0.001, first_s=0.0005)


def script(*steps):
    """A call that meets `steps` in turn; the factors it was called with."""
    factors, left = [], list(steps)

    async def call(factor: int):
        factors.append(factor)
        step = left.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    return call, factors


async def test_an_outage_uses_up_no_attempts():
    call, factors = script(*[OutageError("away")] * 50, TransientError("x"), *[OutageError("away")] * 50, "answer")
    assert (*await call_until_answered(call, waits=QUICK), len(factors)) == ("answer", 2, 102)


async def test_overload_waits_as_the_server_asks():
    call, _ = script(OverloadError("busy", retry_after_s=0.05), "answer")
    began = asyncio.get_running_loop().time()
    assert (await call_until_answered(call, waits=QUICK))[0] == "answer"
    assert asyncio.get_running_loop().time() - began >= 0.05


async def test_a_cut_answer_gets_twice_the_tokens_each_time():
    call, factors = script(TruncatedError("cut"), TruncatedError("cut"), "answer")
    assert (await call_until_answered(call, waits=QUICK))[0] == "answer"
    assert factors == [1, 2, 4]


@pytest.mark.parametrize("error", [TransientError("x"), MalformedError("x"), TruncatedError("x")])
async def test_attempts_are_bounded(error):
    call, factors = script(*[error] * 10)
    with pytest.raises(CallFailedError) as failure:
        await call_until_answered(call, waits=QUICK)
    assert (failure.value.error, failure.value.attempts, len(factors)) == (error, ATTEMPTS, ATTEMPTS)


async def test_a_refusal_is_final():
    call, factors = script(RefusedError("too long"), "never")
    with pytest.raises(CallFailedError) as failure:
        await call_until_answered(call, waits=QUICK)
    assert (failure.value.attempts, len(factors)) == (1, 1)


async def test_cancellation_is_not_swallowed():
    waiting = asyncio.create_task(call_until_answered(script(*[OutageError("x")] * 9)[0], waits=Waits(first_s=60)))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
