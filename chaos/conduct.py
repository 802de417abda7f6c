"""From a deck of faults to a report."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from chaos.cluster import Cluster
from chaos.faults import FAULTS
from chaos.mutants.scenarios import Scenario
from chaos.plan import FIRST, Fault, make_plan
from chaos.run import FaultFailedError, Options, Report, Run, prepared_run

KEPT_BACK = 0.1
"""Share of the chunks that is published after the last fault, so that no fault lacks work."""
LATE_S = 150.0
EVERY_S = 0.3
LEAST, MOST = 5, 300
"""Chunks published each time."""


async def conduct(
    cluster: Cluster, directory: Path, options: Options, deck: Mapping[str, int], *, every_s: float
) -> Report:
    """One run, judged. `every_s`: seconds between two faults, on average."""
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
    """At steps that only a namespace's first workers come to."""
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
    """Publishes as the faults go on, and a little more when one takes long: none may lack work."""

    def __init__(self, run: Run, *, faults: int) -> None:
        self._run = run
        self._faults = faults
        self._most = round(run.options.chunks * (1 - KEPT_BACK))
        self.faults_done = 0

    async def run(self) -> None:
        """Until it is cancelled, which it is between two transactions only."""
        feed = self._run.feed
        while True:
            due = self._most * (self.faults_done + 1) // (self._faults + 1) - feed.published
            count = min(max(due, LEAST), MOST, self._most - feed.published)
            if count > 0:
                async with self._run.cluster.busy:
                    await asyncio.shield(asyncio.ensure_future(feed.publish(count)))
            await asyncio.sleep(EVERY_S)


async def play(cluster: Cluster, directory: Path, options: Options, scenario: Scenario) -> Report:
    """One scenario, judged."""
    async with prepared_run(cluster, directory, options) as run:
        try:
            await scenario(run)
        except (FaultFailedError, TimeoutError) as exc:
            run.report.failures.append(f"the scenario: {exc!r}")
        await run.finish()
        return run.report
