"""Makes answerers on real endpoints, with fake servers behind them. `make_answerer.servers` has their ModelServers."""

import asyncio
from functools import partial

import pytest

from chaos.fake_model import FakeModel
from configs.recipe import Recipe, load_recipe
from configs.sections import ModelSettings
from configs.settings import Settings, load_settings
from consumer.worker.model.cache import Cache, NoCache
from consumer.worker.model.endpoint import make_endpoints
from consumer.worker.model.language_model import LanguageModel
from consumer.worker.model.retry import Waits
from consumer.worker.model.servers import ModelServers
from consumer.worker.model.sqlite_cache import SqliteCache
from consumer.worker.recipe.answering import Answerer

QUICK = Waits(longest_s=0.01, first_s=0.005)


async def cancelled(task: asyncio.Task) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def make_answerer(tmp_path):
    closing = []

    async def running(settings: Settings, model: ModelSettings, store: Cache) -> LanguageModel:
        endpoints = make_endpoints(model, concurrency=settings.worker.concurrency)
        servers = ModelServers(endpoints)
        watching = asyncio.create_task(servers.watch())
        closing.extend([*(endpoint.close for endpoint in endpoints), partial(cancelled, watching)])
        make.servers.append(servers)
        return LanguageModel(model.model_name, servers, store, waits=QUICK)

    async def make(
        *servers: FakeModel,
        cache: bool = True,
        store: Cache | None = None,
        recipe: Recipe | None = None,
        judge: FakeModel | None = None,
        **settings,
    ) -> Answerer:
        urls = ",".join(server.url for server in servers)
        made = load_settings({"model_urls": urls, "cache": cache, **settings})
        store = store or (SqliteCache(tmp_path / "cache.sqlite", max_bytes=2**30) if cache else NoCache())
        if isinstance(store, SqliteCache):
            await store.open()
            closing.append(store.close)
        other = None
        if judge is not None:
            judging = load_settings({"judge_urls": judge.url, "judge_model_name": judge.model}).judge
            assert judging
            other = await running(made, judging, store)
        answerer = Answerer(
            made.model, recipe or load_recipe("fast"), await running(made, made.model, store), judge=other
        )
        closing.append(answerer.close)
        return answerer

    make.servers = []
    yield make
    for close in reversed(closing):
        await close()
