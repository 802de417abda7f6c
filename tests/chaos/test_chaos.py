"""The profile for every day: some fifty faults on twenty thousand chunks; `python -m tests.chaos` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.cluster import running_cluster
from tests.chaos.conduct import conduct
from tests.chaos.faults import KILLS, ZOMBIES
from tests.chaos.plan import FIRST, POINTS
from tests.chaos.run import Options

OPTIONS = Options(chunks=20_000, planted=60, workers=3, bad=0.2, seed=20)
DECK = {
    "kill": 15,
    "kill at": len(POINTS),
    "zombie": 4,
    "stop at": 5,
    "kill broker": 1,
    "restart broker": 1,
    "kill broker on assignment": 1,
    "freeze broker": 1,
    "reset connections": 1,
    "cut": 4,
    "storm": 1,
    "term": 1,
    "restart model": 1,
    "corrupt": 2,
    "refuse records": 1,
}
EVERY_S = 2.0


@pytest.mark.timeout(600)
async def test_nothing_is_lost_or_doubled_whatever_is_killed(tmp_path: Path):
    async with running_cluster(tmp_path / "kafka", nodes=1) as cluster:
        report = await conduct(cluster, tmp_path / "run", OPTIONS, DECK, every_s=EVERY_S)
    print(report)
    assert report.clean, report
    assert report.faults == DECK | {"kill at": DECK["kill at"] + len(FIRST)}
    assert sum(report.faults[kind] for kind in KILLS) >= 30
    assert sum(report.faults[kind] for kind in ZOMBIES) >= 8
