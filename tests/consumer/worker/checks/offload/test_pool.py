"""Checks in processes of their own: an answer of whatever kind holds up neither the event loop nor other chunks."""

import asyncio
import os
import signal
import time

import pytest

from configs.recipe_parts import Checks
from consumer.worker.checks.checking import check_pairs
from consumer.worker.checks.offload import pool as pools
from consumer.worker.checks.offload.child import CheckRequest
from consumer.worker.checks.offload.pool import CheckingError, CheckingPool
from consumer.worker.checks.pair import AnsweredPair
from consumer.worker.errors import WorkerError
from schemas import PairType

TEXT = "Copper replaced aluminium in interconnects because its resistivity is 1.7 μΩ·cm. " * 5
GOOD = AnsweredPair(
    type=PairType.OPEN,
    question="Why did copper replace aluminium?",
    answer="Its resistivity is 1.7 μΩ·cm.",
    evidence=("its resistivity is 1.7 μΩ·cm",),
)
ENDLESS = GOOD.model_copy(update={"answer": "1 " * 100_000, "reasoning": "1+1=2 " * 30_000})


def asked(*pairs: AnsweredPair) -> CheckRequest:
    return CheckRequest(pairs, TEXT, 7, ("Metals",), Checks(answer_most=100_000))


@pytest.fixture
async def pool():
    made = CheckingPool(most_cpu_s=1.0)
    yield made
    await made.close()


async def test_a_process_finds_what_the_checks_find(pool):
    pairs = (GOOD, GOOD, GOOD.model_copy(update={"answer": "It is 4 V."}))
    expected = check_pairs(pairs, text=TEXT, start=7, headings=("Metals",), checks=Checks())
    assert await pool.check(asked(*pairs)) == expected
    assert [bool(each.reasons) for each in expected] == [False, True, True]


async def test_checks_that_take_too_long_fail_their_chunk_and_no_other(pool):
    slow = asyncio.create_task(pool.check(asked(*[ENDLESS] * 20)))
    await asyncio.sleep(0)
    assert not (await pool.check(asked(GOOD)))[0].reasons
    beats = 0
    while not slow.done():
        began_s = time.thread_time()
        await asyncio.sleep(0.01)
        assert time.thread_time() - began_s < 0.1
        beats += 1
    with pytest.raises(CheckingError, match="over 1 s of CPU time"):
        await slow
    assert beats > 10
    assert not (await pool.check(asked(GOOD)))[0].reasons


async def test_a_process_that_dies_costs_no_chunk(pool):
    await pool.check(asked(GOOD))
    (process,) = pool._idle
    os.kill(process.pid, signal.SIGKILL)
    assert not (await pool.check(asked(GOOD)))[0].reasons


async def test_a_caller_that_is_cancelled_leaves_no_process_behind(pool):
    task = asyncio.create_task(pool.check(asked(*[ENDLESS] * 20)))
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not pool._idle
    assert not (await pool.check(asked(GOOD)))[0].reasons


async def test_a_process_that_cannot_start_ends_the_worker_and_costs_no_chunk(pool, monkeypatch):
    monkeypatch.setattr(pools.sys, "executable", "/bin/false")
    with pytest.raises(WorkerError, match="ended at its start, with code 1"):
        await pool.check(asked(GOOD))
