"""A short run. Every change has to pass `make chaos ARGS=--daily`; `make chaos` is the long run."""

from pathlib import Path

import pytest

from chaos.cluster import running_cluster
from chaos.conduct import conduct
from chaos.plan import FIRST, SHORT
from chaos.run import options_of


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_nothing_is_lost_or_doubled_whatever_is_killed(tmp_path: Path):
    async with running_cluster(tmp_path / "kafka", nodes=1) as cluster:
        report = await conduct(cluster, tmp_path / "run", options_of(SHORT), SHORT.deck, every_s=SHORT.every_s)
    print(report)
    assert report.clean, report
    assert report.faults == SHORT.deck | {"kill at": SHORT.deck["kill at"] + len(FIRST)}
