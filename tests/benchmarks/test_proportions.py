"""One step of benchmarks/proportions.py: the same plan from one worker and from four, and an exact export."""

import asyncio
from pathlib import Path

from benchmarks.proportions import faults, model, run

SIZES = (1, 7, 50)


async def test_plans_are_the_same_whatever_the_workers_and_exports_exact(make_settings, tmp_path: Path):
    settings = make_settings()
    folder = tmp_path / settings.kafka.namespace
    async with model() as url:
        found = await asyncio.gather(
            *(
                run(settings.kafka.brokers, url, folder / f"w{workers}", pairs=3, workers=workers, sizes=SIZES)
                for workers in (1, 4)
            )
        )
    assert list(faults(found)) == []
    one, _ = found
    assert (one.chunks, one.planned.total()) == (sum(SIZES), 3 * sum(SIZES))
    assert sum(one.exported.values()) > sum(SIZES)
    assert one.kept["reasoning"] < 0.8 * one.planned["reasoning"], "nothing was skewed"
