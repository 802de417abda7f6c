"""Metrics of a worker's model servers and cache."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from chaos.fake_model import FakeModel, asking
from configs.sections import ModelSettings
from configs.settings import load_settings
from consumer.worker.app import _open_cache
from consumer.worker.model.endpoint import make_endpoints
from consumer.worker.model.servers import ModelServers
from consumer.worker.observing import watch_endpoints
from inference.client import QueueSample
from inference.errors import KillsServerError, ModelError
from schemas import PairType
from telemetry.metrics import WorkerMetrics

REQUEST = asking("Text.")


async def servers(model: ModelSettings, stack: AsyncExitStack) -> ModelServers:
    """Returns servers that count as answering."""
    endpoints = make_endpoints(model, concurrency=8)
    for endpoint in endpoints:
        endpoint.state.came_back("root")
        stack.push_async_callback(endpoint.close)
    return ModelServers(endpoints)


async def test_gauges_of_an_endpoint_are_of_all_models_that_are_called_there():
    go_on = asyncio.Event()

    async def wait(request: web.Request, body: dict) -> None:
        await go_on.wait()

    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeModel(wait).serve())
        settings = load_settings({"model_urls": fake.url, "judge_urls": fake.url})
        metrics = WorkerMetrics(CollectorRegistry())
        model, judge = await servers(settings.model, stack), await servers(settings.judge, stack)
        watch_endpoints(metrics, [model, judge])

        def value(name: str, **labels: str) -> float:
            return metrics.registry.get_sample_value(f"qastream_{name}", {"endpoint": fake.url, **labels})

        calls = [asyncio.create_task(each.complete(REQUEST)) for each in (model, model, judge)]
        async with asyncio.timeout(30):
            while fake.under_way < 3:
                await asyncio.sleep(0.01)
        assert value("model_calls_in_flight") == 3
        (answers,), (judges,) = model.endpoints, judge.endpoints
        assert value("model_limit") == answers.limit + judges.limit > answers.limit
        answers.sample, judges.sample = QueueSample(5, 0), QueueSample(3, 2)
        assert (value("model_queue", state="running"), value("model_queue", state="waiting")) == (5, 2)
        assert value("model_up") == 1
        answers.state.lost()
        assert value("model_up") == 0
        go_on.set()
        await asyncio.gather(*calls)
        assert value("model_calls_in_flight") == 0


@pytest.mark.parametrize(("cache", "counted"), [(True, (1, 1)), (False, (0, 0))])
async def test_look_ups_are_counted_where_there_is_a_cache(tmp_path, cache: bool, counted: tuple[int, int]):
    metrics = WorkerMetrics(CollectorRegistry())
    settings = load_settings({"cache": cache, "cache_path": tmp_path / "cache.sqlite"})
    async with AsyncExitStack() as stack:
        opened = await _open_cache(settings.worker, stack, metrics)
        await opened.get("key")
        await opened.put("key", b"value")
        await opened.get("key")
    values = [
        metrics.registry.get_sample_value("qastream_cache_lookups_total", {"result": result})
        for result in ("hit", "miss")
    ]
    assert tuple(values) == counted


async def test_series_are_there_before_what_they_count():
    async with AsyncExitStack() as stack:
        metrics = WorkerMetrics(CollectorRegistry())
        model = await servers(load_settings({"model_urls": "http://a/v1"}).model, stack)
        watch_endpoints(metrics, [model])
    found = {(sample.name, *sample.labels.values()) for each in metrics.registry.collect() for sample in each.samples}
    for type_ in PairType:
        assert {("qastream_pairs_total", outcome, type_) for outcome in ("accepted", "rejected")} <= found
    for error in all_of(ModelError) - {ModelError, KillsServerError}:
        assert ("qastream_model_calls_total", "http://a/v1", error.error_class) in found
    assert ("qastream_tokens_total", "http://a/v1", "cached_prompt") in found
    assert ("qastream_model_call_seconds_count", "http://a/v1") in found


def all_of(kind: type[ModelError]) -> set[type[ModelError]]:
    return {kind}.union(*(all_of(each) for each in kind.__subclasses__()))
