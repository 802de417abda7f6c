"""Puts a worker together and runs it."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from configs.recipe import Recipe
from configs.sections import ModelSettings, WorkerSettings
from configs.settings import Settings
from configs.user_cache import user_cache
from consumer.worker.chunk_handler import ChunkHandler
from consumer.worker.errors import WorkerError
from consumer.worker.group.client import GroupClient
from consumer.worker.group.membership import Membership
from consumer.worker.model.cache import Cache, NoCache
from consumer.worker.model.endpoint import make_endpoints
from consumer.worker.model.language_model import LanguageModel
from consumer.worker.model.redis_cache import RedisCache
from consumer.worker.model.retry import Waits
from consumer.worker.model.servers import ModelServers
from consumer.worker.model.sqlite_cache import SqliteCache
from consumer.worker.observing import ObservedCache, ObservedClient, watch_endpoints
from consumer.worker.recipe.answering import Answerer
from messaging.connection import start_patiently
from messaging.pulse import feeling
from messaging.roles import Role
from messaging.stopping import StoppedError, unless_stopped
from messaging.topics import ensure_topics
from telemetry.metrics import WorkerMetrics
from telemetry.telemetry import START, Telemetry, open_telemetry

log = logging.getLogger(__name__)


async def run_worker(settings: Settings, recipe: Recipe) -> None:
    """Answers chunks until SIGTERM or SIGINT. Raises WorkerError."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await work(settings, recipe, stop)


async def work(settings: Settings, recipe: Recipe, stop: asyncio.Event) -> None:
    """Answers chunks until `stop` is set; sets it when it ends by itself. Raises WorkerError."""
    kafka, worker = settings.kafka, settings.worker
    async with AsyncExitStack() as stack:
        stack.callback(stop.set)
        telemetry = await stack.enter_async_context(open_telemetry(settings.telemetry, WorkerMetrics, process="worker"))
        cache = await _open_cache(worker, stack, telemetry.metrics)

        async def open_model(model: ModelSettings) -> LanguageModel:
            servers = await stack.enter_async_context(
                _model_servers(model, worker.concurrency, recipe, stop, telemetry)
            )
            all_servers.append(servers)
            waits = Waits(on_retry=lambda error_class: telemetry.metrics.retries.labels(error_class).inc())
            return LanguageModel(model.model_name, servers, cache, waits=waits, priority=model.priority)

        all_servers: list[ModelServers] = []
        model = await open_model(settings.model)
        judge = await open_model(settings.judge) if settings.judge is not None and recipe.judge is not None else None
        watch_endpoints(telemetry.metrics, all_servers)
        for number, change in ((signal.SIGUSR1, ModelServers.pause), (signal.SIGUSR2, ModelServers.resume)):
            asyncio.get_running_loop().add_signal_handler(number, _switch, all_servers, change)
            stack.callback(asyncio.get_running_loop().remove_signal_handler, number)
        answerer = Answerer(settings.model, recipe, model, judge=judge)
        pulse = await stack.enter_async_context(feeling(kafka, watched=bool(settings.telemetry.metrics_port)))
        telemetry.health.check("kafka", pulse.trouble)
        stack.enter_context(suppress(StoppedError))
        await unless_stopped(ensure_topics(kafka, role=Role.WORKER), stop)
        client = GroupClient(kafka, session_timeout_ms=worker.session_timeout_ms)
        await unless_stopped(start_patiently(client.consumer, kafka), stop)
        stack.push_async_callback(client.leave)
        stack.push_async_callback(answerer.close)
        log.info("worker is up", extra={"group": client.names.group, "recipe": recipe.name})
        handler = ChunkHandler(client.names, answerer, all_servers, tracing=telemetry.tracing)
        membership = Membership(client, handler, telemetry, worker, servers=len(settings.model.model_urls))
        telemetry.health.note(START, None)
        await membership.run(stop)
    log.info("worker has stopped")


@asynccontextmanager
async def _model_servers(
    model: ModelSettings, concurrency: int, recipe: Recipe, stop: asyncio.Event, telemetry: Telemetry[WorkerMetrics]
) -> AsyncIterator[ModelServers]:
    """Yields servers that are watched as long as the context lasts. A wrong model or API key sets `stop`."""
    async with AsyncExitStack() as stack:
        metrics, tracing = telemetry.metrics, telemetry.tracing
        endpoints = make_endpoints(
            model, concurrency=concurrency, observed=lambda client: ObservedClient(client, metrics, tracing)
        )
        for endpoint in endpoints:
            stack.push_async_callback(endpoint.close)
        servers = ModelServers(endpoints, any_model=recipe.any_model)
        watching = asyncio.create_task(servers.watch())
        watching.add_done_callback(lambda _: stop.set())
        try:
            yield servers
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def _switch(all_servers: list[ModelServers], change: Callable[[ModelServers], None]) -> None:
    for servers in all_servers:
        change(servers)


async def _open_cache(worker: WorkerSettings, stack: AsyncExitStack, metrics: WorkerMetrics) -> Cache:
    """Returns the cache of the settings, whose look-ups are counted. Raises WorkerError."""
    if not worker.cache:
        return NoCache()
    if worker.cache_url is not None:
        shared = RedisCache(worker.cache_url.get_secret_value())
        stack.push_async_callback(shared.close)
        return ObservedCache(shared, metrics)
    path = worker.cache_path or user_cache() / "generations.sqlite"
    cache = SqliteCache(path, max_bytes=worker.cache_bytes)
    try:
        await cache.open()
    except OSError as exc:
        raise WorkerError(f"generation cache {path}: {exc.strerror}. Set --cache-path, or --no-cache") from exc
    stack.push_async_callback(cache.close)
    return ObservedCache(cache, metrics)
