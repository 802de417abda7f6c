"""Under the same faults, the checker finds every broken worker and no problem with the real one."""

from pathlib import Path

import pytest
import pytest_asyncio

from chaos.cluster import Cluster, running_cluster
from chaos.conduct import play
from chaos.mutants.scenarios import SCENARIOS
from chaos.run import Options

OPTIONS = {
    "session_timeout_ms": 3000,
    "chunks": 240,
    "planted": 8,
    "workers": 2,
    "partitions": 4,
    "bad": 0.05,
    "concurrency": 16,
    "flush_ms": 300,
}
FOUND_AS = {
    "auto_commit": "doubled",
    "sends_not_awaited": "lost",
    "ids_per_process": "doubled",
    "committed_before_start": "doubled",
    "bare_committed": "doubled",
    "no_metadata_guard": "lost",
    "dropped_offset": "lost",
    "read_uncommitted": "aborted",
}
TRIES = 3
STALL_S = 12.0
STOP_S = 12.0
"""Time limits in seconds. A mutant may lose its work for good, or not stop, and that shows by then."""

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.mutants]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory):
    async with running_cluster(tmp_path_factory.mktemp("kafka"), nodes=1) as running:
        yield running


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_worker_as_it_is_loses_and_doubles_nothing(cluster: Cluster, tmp_path: Path, name: str):
    report = await play(cluster, tmp_path, Options(**OPTIONS), SCENARIOS[name][0])
    assert report.clean, report


@pytest.mark.parametrize(("name", "mutant"), [(name, m) for name, (_, ms) in SCENARIOS.items() for m in ms])
async def test_a_broken_worker_is_found_out(cluster: Cluster, tmp_path: Path, name: str, mutant: str):
    """Some mutants need luck, so they get a few tries, which are counted."""
    for seed in range(TRIES):
        options = Options(**OPTIONS, mutant=mutant, seed=seed, stall_s=STALL_S, stop_s=STOP_S)
        report = await play(cluster, tmp_path / str(seed), options, SCENARIOS[name][0])
        if report.problems.get(FOUND_AS[mutant]):
            print(f"{mutant}: found out at try {seed + 1}: {report.problems}")
            return
    raise AssertionError(f"{mutant} was not found out in {TRIES} tries:\n{report}")
