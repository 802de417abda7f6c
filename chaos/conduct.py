"""Conducts a run: injects the faults of a deck and reports what came of it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from chaos.cluster import Cluster
from chaos.faults import FAULTS
from chaos.mutants.scenarios import Scenario
from chaos.plan import FIRST, Fault, make_plan
from chaos.run import FaultFailedError, Options, Report, Run, prepared_run

KEPT_BACK = 0.1
"""Share of the chunks that is kept back, so that workers have work during the last faults as well."""
LATE_S = 150.0
EVERY_S = 0.3
LEAST, MOST = 5, 300
"""Number of chunks that are published at a time."""


async def conduct(
    cluster: Cluster, directory: Path, options: Options, deck: Mapping[str, int], *, every_s: float
) -> Report:
    """Makes one run and reports. `every_s` is the mean time between two faults, in seconds."""
    async with prepared_run(cluster, directory, options) as run:
        pace = Pace(run, faults=sum(deck.values()))
        feeding = asyncio.create_task(pace.run())
        await _kill_first_workers(run)
        run.keep_workers()
        for fault in make_plan(deck, seed=options.seed, every_s=every_s):
            await _inject(run, fault)
            pace.faults_done += 1
        await run.join(within_s=LATE_S)
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        await run.finish()
        return run.report


async def _kill_first_workers(run: Run) -> None:
    """Kills workers at the steps that only the first workers of a namespace reach."""
    for point in FIRST:
        await _inject(run, Fault("kill at", 0.0, {"point": point, "at": 2}))
        await run.join(within_s=LATE_S)


async def _inject(run: Run, fault: Fault) -> None:
    await asyncio.sleep(fault.after_s)
    try:
        if fault.parameters.get("point") not in FIRST:
            run.keep_workers()
            await run.progress()
        run.note(str(fault))
        await FAULTS[fault.kind](run, fault)
        run.report.faults[fault.kind] += 1
    except (FaultFailedError, TimeoutError, ProcessLookupError) as exc:
        run.note(f"FAILED: {exc!r}")
        run.report.failures.append(f"{fault}: {exc!r}")


class Pace:
    """Publishes while the faults go on, so that workers have work during every fault, however long it takes."""

    def __init__(self, run: Run, *, faults: int) -> None:
        self._run = run
        self._faults = faults
        self._most = round(run.options.chunks * (1 - KEPT_BACK))
        self.faults_done = 0

    async def run(self) -> None:
        """Publishes until it is cancelled, which takes effect between two transactions."""
        feed = self._run.feed
        while True:
            due = self._most * (self.faults_done + 1) // (self._faults + 1) - feed.published
            # A trickle goes on beyond `_most`: a fault that waits for a worker's step needs a chunk that leads there.
            trickle = min(LEAST, self._run.options.chunks - feed.published)
            count = max(min(due, MOST, self._most - feed.published), trickle)
            if count > 0:
                async with self._run.cluster.busy:
                    await asyncio.shield(asyncio.ensure_future(feed.publish(count)))
            await asyncio.sleep(EVERY_S)


async def play(cluster: Cluster, directory: Path, options: Options, scenario: Scenario) -> Report:
    """Plays one scenario and reports."""
    async with prepared_run(cluster, directory, options) as run:
        try:
            await scenario(run)
        except (FaultFailedError, TimeoutError) as exc:
            run.report.failures.append(f"the scenario: {exc!r}")
        await run.finish()
        return run.report
