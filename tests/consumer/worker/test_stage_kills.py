"""kill -9 in the middle of recipes of several stages: only calls under way are made twice.

The model server is in this process and writes down each request; the workers, two at a time, are processes.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from chaos.fake_model import FakeModel
from chaos.workers import Worker, Workers
from configs.settings import Settings, load_settings
from schemas import Result, Status, TopicNames
from server.broker.node import Broker
from tests.support.chunks import doubled, make_chunk, publish, read_all

POINTS = ("worker.answered", "worker.cached", "cache.inserted", "cache.committed")
"""Between two stages: an answer has come, is about to be cached, and is."""
AT_RANDOM = 1
CHUNKS = 5
"""Published before a worker joins, and again before one is killed."""
CONCURRENCY = 3
LATENCY_S = (0.05, 0.3)
LOST_S = 1.0
"""An answer that left the server less than this before a kill may not have come to the cache."""
TEXT = "Copper line {} replaced aluminium in interconnects because its resistivity is lower. "
SEED = 20261127


@dataclass(slots=True)
class Asked:
    """A request, by the clock; `ended_s` stays None when its worker went away before its answer."""

    began_s: float
    ended_s: float | None = None


class Calls:
    """A script for FakeModel that remembers each request by its body."""

    def __init__(self, rng: random.Random) -> None:
        self._random = rng
        self.made: dict[str, list[Asked]] = {}

    async def __call__(self, request: web.Request, body: dict[str, Any]) -> None:
        asked = Asked(time.time())
        self.made.setdefault(json.dumps(body, sort_keys=True), []).append(asked)
        await asyncio.sleep(self._random.uniform(*LATENCY_S))
        asked.ended_s = time.time()

    @property
    def total(self) -> int:
        return sum(map(len, self.made.values()))

    def repeats(self) -> Iterator[tuple[Asked, Asked]]:
        for asked in self.made.values():
            yield from pairwise(asked)


class Stand:
    """Two workers are kept alive; `kills_s` are the moments at which one was killed."""

    def __init__(self, settings: Settings, calls: Calls, workers: Workers, rng: random.Random) -> None:
        self.settings = settings
        self.calls = calls
        self._workers = workers
        self._random = rng
        self._published = 0
        self.kills_s: list[float] = []

    async def publish(self) -> None:
        numbers = range(self._published, self._published + CHUNKS)
        await publish(self.settings, [make_chunk(TEXT.format(number) * 15, number) for number in numbers])
        self._published += CHUNKS

    async def kill_at(self, point: str) -> None:
        """A worker kills itself as it comes to the step, for some time of its choice."""
        worker = await self._joined(f"{point}=kill@{self._random.randint(1, 4)}")
        await self.publish()
        assert await worker.exited(within_s=60) == -9, worker.last_lines()
        (fired,) = [each for each in self._workers.firings() if each["pid"] == worker.pid]
        self.kills_s.append(fired["time_s"])

    async def kill_at_random(self) -> None:
        worker = await self._joined()
        await self.publish()
        more = self.calls.total + self._random.randint(2, 20)
        async with asyncio.timeout(60):
            while self.calls.total < more:
                await asyncio.sleep(0.01)
        worker.kill()
        self.kills_s.append(time.time())

    async def _joined(self, failpoints: str = "") -> Worker:
        """It takes partitions from another in the middle of its chunks."""
        await self.publish()
        worker = self._workers.start(failpoints=failpoints)
        async with asyncio.timeout(60):
            while True:
                alive = worker.alive
                if any(worker.assignments()[-1:]):
                    break
                assert alive, worker.last_lines()
                await asyncio.sleep(0.05)
        return worker

    async def results(self) -> list[Result]:
        """When each chunk has one."""
        async with asyncio.timeout(60):
            while True:
                results = await read_all(self.settings, TopicNames(self.settings.kafka.namespace).results, Result)
                if len(results) >= self._published:
                    return results
                await asyncio.sleep(0.2)

    def given_s(self) -> list[float]:
        """When partitions were given to somebody."""
        entries = [entry for worker in self._workers.all for entry in worker.entries() if "partitions" in entry]
        return [datetime.fromisoformat(entry["time"]).timestamp() for entry in entries]

    def was_under_way(self, first: Asked, again: Asked) -> bool:
        """At a kill, or when its chunk was given to another worker."""
        until_s = inf if first.ended_s is None else first.ended_s + LOST_S
        if any(first.began_s <= kill_s < until_s for kill_s in self.kills_s):
            return True
        given = any(first.began_s <= given_s <= again.began_s for given_s in self.given_s())
        return given and again.began_s < until_s


@asynccontextmanager
async def stand(brokers: str, recipe: str, folder: Path) -> AsyncIterator[Stand]:
    rng = random.Random(SEED)
    calls = Calls(rng)
    async with FakeModel(calls).serve() as model:
        settings = load_settings({"bootstrap_servers": brokers, "namespace": f"kills-{recipe}", "partitions": 4})
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": brokers,
            "VLLM_SERVER_URL": model.url,
            "QASTREAM_NAMESPACE": settings.kafka.namespace,
            "QASTREAM_PARTITIONS": "4",
            "QASTREAM_RECIPE": recipe,
            "QASTREAM_SESSION_TIMEOUT_MS": "2000",
            "QASTREAM_CONCURRENCY": str(CONCURRENCY),
            "QASTREAM_CACHE_PATH": str(folder / "cache.sqlite"),
            "QASTREAM_LOG_FORMAT": "json",
        }
        workers = Workers(folder / "workers", environment)
        workers.start()
        try:
            yield Stand(settings, calls, workers, rng)
        finally:
            workers.kill_all()


async def killed_between_stages(brokers: str, recipe: str, folder: Path) -> None:
    async with stand(brokers, recipe, folder) as run:
        for point in POINTS:
            await run.kill_at(point)
        for _ in range(AT_RANDOM):
            await run.kill_at_random()
        results = await run.results()
    assert doubled([result.record_id for result in results]) == []
    assert len(results) == 2 * CHUNKS * (len(POINTS) + AT_RANDOM)
    assert {result.status for result in results} == {Status.OK}
    for result in results:
        ended = Counter(pair.type for pair in result.pairs) + Counter(each.pair.type for each in result.rejected)
        assert result.asked == dict(ended)
    assert len(run.calls.made) == sum(result.usage.calls + result.usage.cached_calls for result in results)
    repeats = list(run.calls.repeats())
    assert repeats, "no kill met a call"
    assert [each for each in repeats if not run.was_under_way(*each)] == []


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_only_calls_under_way_at_a_kill_are_made_twice(tmp_path: Path):
    """Both recipes at the same time, on one broker."""
    with Broker(data_dir=tmp_path / "kafka") as broker:
        async with asyncio.TaskGroup() as both:
            for recipe in ("standard", "semiconductor"):
                both.create_task(killed_between_stages(broker.bootstrap_servers, recipe, tmp_path / recipe))
