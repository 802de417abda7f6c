"""The faults. Each raises FaultFailedError when it did not take place."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from chaos.cluster import Node
from chaos.mutants.scenarios import REFUSAL, results_refused
from chaos.plan import Fault
from chaos.proxy import Api, Cut, Rule
from chaos.run import FaultFailedError, Run
from chaos.workers import Worker

FIRES_S = 120.0
EXPELLED_S = 60.0
"""Longest wait until others have a frozen worker's partitions: many sessions, since a broker may be away."""

Do = Callable[[Run, Fault], Awaitable[None]]


async def kill(run: Run, fault: Fault) -> None:
    """Kills a worker at any moment."""
    worker = await _victim(run, fault)
    worker.kill()
    if await worker.exited(within_s=10) != -signal.SIGKILL:
        raise FaultFailedError(f"{worker.name} was to die by SIGKILL and ended with {worker.process.exitcode}")
    run.keep_workers()


async def kill_at(run: Run, fault: Fault) -> None:
    """Kills a worker at one of its steps."""
    worker = _doomed(run, fault, "kill")
    run.spawn(_dies(run, worker, fault))


async def stop_at(run: Run, fault: Fault) -> None:
    """Freezes a worker at one of its steps for longer than its session, so that it comes back as a zombie."""
    worker = _doomed(run, fault, "stop")
    run.spawn(_stops(run, worker, fault))


async def zombie(run: Run, fault: Fault) -> None:
    """Freezes a worker at any moment for longer than its session."""
    worker = await _victim(run, fault)
    worker.freeze()
    run.keep_workers()
    run.spawn(_thaw_when_expelled(run, worker))


async def term(run: Run, fault: Fault) -> None:
    """Stops a worker in order, by SIGTERM."""
    worker = await _victim(run, fault)
    worker.terminate()
    run.spawn(_ends(worker))
    run.keep_workers()


async def storm(run: Run, fault: Fault) -> None:
    """Lets workers join until there are `workers`, then leave until one is left, while the group still rebalances."""
    rng = run.random
    while len(run.workers.alive) < fault.parameters["workers"]:
        run.workers.start()
        await asyncio.sleep(rng.uniform(0.0, 0.5))
    leaving = run.workers.working[1:]
    rng.shuffle(leaving)
    for worker in leaving:
        if worker.alive and not worker.frozen:
            worker.terminate()
            run.spawn(_ends(worker))
            await asyncio.sleep(rng.uniform(0.0, 0.5))
    run.keep_workers()


async def kill_broker(run: Run, fault: Fault) -> None:
    async with run.cluster.busy:
        node = _node(run, fault)
        await node.kill()
        await node.start()


async def restart_broker(run: Run, fault: Fault) -> None:
    async with run.cluster.busy:
        node = _node(run, fault)
        await node.stop()
        await node.start()


async def freeze_broker(run: Run, fault: Fault) -> None:
    async with run.cluster.busy:
        node = _node(run, fault)
        node.freeze()
        await asyncio.sleep(fault.parameters["seconds"])
        node.thaw()


async def kill_broker_on_assignment(run: Run, fault: Fault) -> None:
    """Kills a broker just after an assignment, so that a starting broker is asked for committed points."""
    async with run.cluster.busy:
        node = _node(run, fault)
        rounds = run.workers.rounds
        run.workers.start()
        await run.until(lambda: run.workers.rounds > rounds, "an assignment", within_s=FIRES_S)
        await node.kill()
        await node.start()


async def reset_connections(run: Run, fault: Fault) -> None:
    if not _node(run, fault).proxy.reset_all():
        raise FaultFailedError("there was no connection to reset")


async def cut(run: Run, fault: Fault) -> None:
    """Resets a connection when it carries a request of one kind, or the response."""
    api, how = Api[fault.parameters["api"]], Cut(fault.parameters["cut"])
    rules = [(node, node.proxy.add(Rule(api, how))) for node in run.cluster.nodes]
    try:
        if api in (Api.INIT_PRODUCER_ID, Api.OFFSET_FETCH, Api.JOIN_GROUP, Api.SYNC_GROUP):
            run.workers.start()  # a rebalance makes them
        await run.until(
            lambda: any(rule.fired.is_set() for _, rule in rules), f"a request {api.name}", within_s=FIRES_S
        )
    finally:
        for node, rule in rules:
            node.proxy.remove(rule)


async def restart_model(run: Run, fault: Fault) -> None:
    run.model.end()
    await asyncio.sleep(run.random.uniform(0.2, 2.0))
    await run.model.start()


async def refuse_records(run: Run, fault: Fault) -> None:
    """Makes a broker refuse results as too large for a while. A commit without awaited sends would lose them."""
    before = run.workers.logged(REFUSAL)
    async with results_refused(run):
        await run.until(lambda: run.workers.logged(REFUSAL) > before, "a refusal")


async def corrupt(run: Run, fault: Fault) -> None:
    """Damages the cache's file while workers use it. The next worker makes a deleted file again."""
    if not run.cache.exists():
        await kill(run, fault)
    await run.until(run.cache.exists, "a cache")
    CORRUPT[fault.parameters["how"]](run.cache)


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(max(8192, path.stat().st_size)))


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 17)


def _flip(path: Path) -> None:
    """Flips bytes after the header, so that entries can be read but are wrong."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        for place in range(4096, size, 997):
            file.seek(place)
            byte = file.read(1)
            file.seek(place)
            file.write(bytes([byte[0] ^ 0x55]))


CORRUPT: dict[str, Callable[[Path], None]] = {
    "garbage": _overwrite, "truncate": _truncate, "delete": Path.unlink, "flip": _flip,
}  # fmt: skip

FAULTS: dict[str, Do] = {
    "kill": kill,
    "kill at": kill_at,
    "stop at": stop_at,
    "zombie": zombie,
    "term": term,
    "storm": storm,
    "kill broker": kill_broker,
    "restart broker": restart_broker,
    "freeze broker": freeze_broker,
    "kill broker on assignment": kill_broker_on_assignment,
    "reset connections": reset_connections,
    "cut": cut,
    "restart model": restart_model,
    "refuse records": refuse_records,
    "corrupt": corrupt,
}
KILLS = ("kill", "kill at")
ZOMBIES = ("zombie", "stop at")


async def _victim(run: Run, fault: Fault) -> Worker:
    """Returns a worker that works, if possible one with partitions."""
    run.keep_workers(1)
    await run.until(lambda: run.workers.working, "a worker")
    working = run.workers.working
    busy = [worker for worker in working if any(worker.assignments()[-1:])] or working
    return busy[int(fault.parameters["victim"] * len(busy))]


def _node(run: Run, fault: Fault) -> Node:
    return run.cluster.nodes[int(fault.parameters["victim"] * len(run.cluster.nodes))]


def _doomed(run: Run, fault: Fault, action: str) -> Worker:
    return run.workers.start(failpoints=f"{fault.parameters['point']}={action}@{fault.parameters['at']}")


async def _dies(run: Run, worker: Worker, fault: Fault) -> None:
    worker.ended = -signal.SIGKILL
    await _until_fired(run, worker)
    await worker.exited(within_s=10)
    run.note(f"{worker.name} died at {fault.parameters['point']}")


async def _stops(run: Run, worker: Worker, fault: Fault) -> None:
    await _until_fired(run, worker)
    worker.frozen = True
    run.note(f"{worker.name} stopped at {fault.parameters['point']}")
    worker.failpoints = ""
    await _thaw_when_expelled(run, worker)


async def _until_fired(run: Run, worker: Worker) -> None:
    """Waits until the failpoint fired. Raises FaultFailedError if the worker ends before, or never reaches it."""
    deadline = time.monotonic() + FIRES_S
    while not run.workers.fired(worker):
        if not worker.alive:
            raise FaultFailedError(f"{worker.name} ended before {worker.failpoints}: {worker.last_lines()}")
        if time.monotonic() > deadline:
            raise FaultFailedError(f"{worker.name} never came to {worker.failpoints}: {worker.last_lines()}")
        await asyncio.sleep(0.05)


async def _thaw_when_expelled(run: Run, worker: Worker) -> None:
    """Thaws the worker after others were assigned its partitions, which it does not know."""
    held = set().union(*worker.assignments()[-1:])
    began = time.monotonic()
    try:
        while not _taken(run, worker, held, began):
            if time.monotonic() - began > EXPELLED_S:
                raise FaultFailedError(f"{worker.name} was never expelled")
            await asyncio.sleep(0.1)
        run.note(f"{worker.name} thaws after {time.monotonic() - began:.1f} s")
    finally:
        worker.thaw()


def _taken(run: Run, worker: Worker, held: set[int], began: float) -> bool:
    """True when the session is over and all partitions in `held` have been assigned to others since."""
    if time.monotonic() - began < run.options.session_timeout_ms / 1000:
        return False
    others = [other for other in run.workers.alive if other is not worker]
    return held <= set().union(*(set().union(*other.assignments()[-1:]) for other in others))


async def _ends(worker: Worker) -> None:
    code = await worker.exited(within_s=30)
    if code != 0:
        raise FaultFailedError(f"{worker.name} ended with {code} after SIGTERM: {worker.last_lines()}")
