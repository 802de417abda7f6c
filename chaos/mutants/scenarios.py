"""Short runs. Each has the faults that one rule of the worker is for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.types import Array, Int16, Int32, Schema

from chaos.proxy import Api, Cut, Rule
from chaos.run import FaultFailedError, Run
from chaos.workers import Worker
from messaging.connection import admin_client
from schemas import TopicNames

Scenario = Callable[[Run], Awaitable[None]]
LOADING = 14
"""COORDINATOR_LOAD_IN_PROGRESS."""
LOADING_S = 2.0
JOIN_S = 6.0
TINY_BYTES = 300
REFUSAL = "MessageSizeTooLarge"
"""The broker's error in a worker's log."""
KILLS = 2


async def kills(run: Run) -> None:
    """Kills workers in the middle of their work, one after the other."""
    await run.feed.publish(run.options.chunks // 4)
    run.keep_workers()
    for _ in range(KILLS):
        await run.progress(more=20)
        run.workers.working[0].kill()
        run.report.faults["kill"] += 1
        await run.feed.publish(run.options.chunks // 4)
        run.keep_workers()


async def refused_records(run: Run) -> None:
    """Makes the broker refuse results as too large for a while. It takes dead letters and offsets."""
    run.keep_workers()
    await run.feed.publish(run.options.chunks // 2)
    await run.progress(more=20)
    async with results_refused(run):
        await run.feed.publish(run.options.chunks // 2)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOADING_S):
                await run.until(lambda: run.workers.logged(REFUSAL), "a refusal")
    run.report.faults["records refused"] += 1


async def zombie_in_transaction(run: Run) -> None:
    """Freezes a worker just before a commit until it is expelled, and then lets it go on."""
    worker = await _stopped_before_commit(run)
    run.keep_workers()
    await _replaced(run)
    proxy = run.cluster.nodes[0].proxy
    wanted = proxy.seen[Api.END_TXN] + run.options.partitions
    await run.feed.publish(run.options.chunks // 4)
    await run.until(lambda: proxy.seen[Api.END_TXN] >= wanted, "commits of its successors")
    worker.thaw()
    run.report.faults["zombie"] += 1


async def commit_during_takeover(run: Run) -> None:
    """Freezes a worker just before a commit, and lets it go on while its successors wait to fence it."""
    worker = await _stopped_before_commit(run)
    rule = run.cluster.nodes[0].proxy.add(Rule(Api.INIT_PRODUCER_ID, Cut.HOLD, times=1000))
    try:
        run.keep_workers()
        await _replaced(run)
        await asyncio.wait_for(rule.fired.wait(), run.options.stall_s)
        commits = run.cluster.nodes[0].proxy.seen[Api.END_TXN]
        worker.thaw()
        await run.until(lambda: run.cluster.nodes[0].proxy.seen[Api.END_TXN] > commits, "the zombie's commit")
        await asyncio.sleep(0.5)  # the commit's markers are written after its answer
    finally:
        run.cluster.nodes[0].proxy.remove(rule)
    run.report.faults["commit during a take-over"] += 1


async def broker_killed_on_assignment(run: Run) -> None:
    """Kills the broker after an assignment; when it is back, its coordinator takes a while to load."""
    await run.feed.publish(run.options.chunks // 2)
    run.keep_workers()
    await run.progress(more=run.options.chunks // 4)
    node = run.cluster.nodes[0]
    newcomer = run.workers.start()
    async with run.cluster.busy:
        await run.until(newcomer.assignments, "an assignment")
        await node.kill()
        loading = node.proxy.add(Rule(Api.OFFSET_FETCH, Cut.ANSWER, times=10_000, answer=_loading))
        rounds = run.workers.rounds
        await node.start()
    run.workers.start()  # whose join makes everybody ask, if the group is whole by now
    try:
        await asyncio.wait_for(loading.fired.wait(), run.options.stall_s)
        with contextlib.suppress(FaultFailedError):  # a group that was whole before may stay so
            await run.until(lambda: run.workers.rounds > rounds, "an assignment", within_s=JOIN_S)
        await asyncio.sleep(LOADING_S)
    finally:
        node.proxy.remove(loading)
    run.report.faults["broker killed on assignment"] += 1


async def no_metadata_at_join(run: Run) -> None:
    """Hides the topic's metadata from the group's first member for a while."""
    proxy = run.cluster.nodes[0].proxy
    topic = TopicNames(run.settings.kafka.namespace).chunks.encode()
    # A worker's first questions are about all topics; a member's are about the one that it reads.
    alone = Rule(
        Api.METADATA, Cut.BEFORE, times=10_000, about=lambda frame: topic in frame and b".results" not in frame
    )
    proxy.add(alone)
    await run.feed.publish(run.options.chunks)
    run.keep_workers(1)
    try:
        await asyncio.wait_for(alone.fired.wait(), run.options.stall_s)
        joined = proxy.seen[Api.SYNC_GROUP]
        with contextlib.suppress(FaultFailedError):
            await run.until(lambda: proxy.seen[Api.SYNC_GROUP] > joined, "a member", within_s=JOIN_S)
    finally:
        proxy.remove(alone)
    run.report.faults["no metadata"] += 1


async def commit_held_at_revocation(run: Run) -> None:
    """Makes a worker give its partitions back while the broker takes none of its records, and then stops it."""
    proxy = run.cluster.nodes[0].proxy
    await run.feed.publish(run.options.chunks // 2)
    held = run.workers.start()
    await run.progress(more=20)
    rule = proxy.add(Rule(Api.PRODUCE, Cut.HOLD, times=1000))
    await run.feed.publish(run.options.chunks // 4)
    try:
        await asyncio.wait_for(rule.fired.wait(), run.options.stall_s)
        rounds = len(held.assignments())
        run.workers.start()
        await run.until(lambda: len(held.assignments()) > rounds, "a rebalance")
    finally:
        proxy.remove(rule)
    held.terminate()
    await held.exited(within_s=run.options.stop_s)
    await run.feed.publish(run.options.chunks // 2)
    run.report.faults["commit held"] += 1


@asynccontextmanager
async def results_refused(run: Run) -> AsyncIterator[None]:
    """Makes the results' topic take tiny batches only."""
    topic = TopicNames(run.settings.kafka.namespace).results
    async with admin_client(run.settings.kafka) as admin:

        async def limit(size: str) -> None:
            configs = TopicNames(run.settings.kafka.namespace).configs[topic] | {"max.message.bytes": size}
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])

        await limit(str(TINY_BYTES))
        try:
            yield
        finally:
            await limit(TopicNames(run.settings.kafka.namespace).configs[topic]["max.message.bytes"])


async def _stopped_before_commit(run: Run) -> Worker:
    """Returns a worker, alone in its group, that stopped itself between its offsets and its commit."""
    await run.feed.publish(run.options.chunks // 2)
    worker = run.workers.start(failpoints=f"worker.flush.offsets=stop@{run.options.partitions + 3}")
    await run.until(lambda: run.workers.fired(worker), "the failpoint")
    worker.frozen = True
    return worker


async def _replaced(run: Run) -> None:
    """Waits until all partitions have been assigned to others."""
    everything = set(range(run.options.partitions))
    await run.until(
        lambda: everything <= set().union(*(o.assignments()[-1] for o in run.workers.working if o.assignments())),
        "a take-over",
    )


def _loading() -> bytes:
    """Returns an OffsetFetch response, version 3, with no topics and an error."""
    body: bytes = Schema(("throttle", Int32), ("topics", Array(Int32)), ("error", Int16)).encode((0, [], LOADING))
    return body


SCENARIOS: dict[str, tuple[Scenario, tuple[str, ...]]] = {
    "kills": (kills, ("auto_commit", "dropped_offset", "read_uncommitted")),
    "refused records": (refused_records, ("sends_not_awaited",)),
    "zombie in a transaction": (zombie_in_transaction, ("ids_per_process",)),
    "commit during a take-over": (commit_during_takeover, ("committed_before_start",)),
    "broker killed on assignment": (broker_killed_on_assignment, ("bare_committed",)),
    "no metadata at join": (no_metadata_at_join, ("no_metadata_guard",)),
    "commit held at revocation": (commit_held_at_revocation, ()),
}
"""The scenarios by name, each with the mutants that it must find."""
