"""Puts a worker together and runs it."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from configs.recipe import Recipe
from configs.sections import KafkaSettings, ModelSettings, WorkerSettings
from configs.settings import Settings
from consumer.worker.errors import WorkerError
from consumer.worker.group.membership import STOP_S, Group
from consumer.worker.model.endpoint import make_endpoints
from consumer.worker.model.language_model import Model
from consumer.worker.model.redis_cache import RedisCache
from consumer.worker.model.retry import Waits
from consumer.worker.model.servers import ModelServers
from consumer.worker.model.sqlite_cache import Cache, NoCache, SqliteCache
from consumer.worker.observing import ObservedCache, begin_at_zero, observed_calls, watch_endpoints
from consumer.worker.outcome import Outcome, answered, origin_of, undecodable
from consumer.worker.recipe.answering import Answerer
from messaging.client_internals import ROUND_ROBIN
from messaging.connection import MAX_RECORD_BYTES, make_consumer, start_patiently, stop_reading
from messaging.pulse import feeling
from messaging.record import Record
from messaging.roles import Role
from messaging.stopping import StoppedError, unless_stopped
from messaging.topics import ensure_topics
from schemas import Chunk, DecodeError, TopicNames, decode
from telemetry.metrics import WorkerMetrics
from telemetry.telemetry import START, Telemetry, open_telemetry
from telemetry.tracing import Tracing

MAX_RESULT_BYTES = MAX_RECORD_BYTES // 2
"""Leaves room for the dead letter in the same request."""
log = logging.getLogger(__name__)


async def run_worker(settings: Settings, recipe: Recipe) -> None:
    """Answer chunks until SIGTERM or SIGINT. Raises WorkerError."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await work(settings, recipe, stop)


async def work(settings: Settings, recipe: Recipe, stop: asyncio.Event) -> None:
    """Answer chunks until `stop` is set; sets it when it ends by itself. Raises WorkerError."""
    kafka, concurrency = settings.kafka, settings.worker.concurrency
    async with AsyncExitStack() as stack:
        stack.callback(stop.set)
        telemetry = await stack.enter_async_context(open_telemetry(settings.telemetry, WorkerMetrics, process="worker"))
        metrics = telemetry.metrics
        cache = await _open_cache(settings.worker, stack, metrics)
        waits = Waits(on_retry=lambda error_class: metrics.retries.labels(error_class).inc())
        servers = await stack.enter_async_context(_model_servers(settings.model, concurrency, recipe, stop, telemetry))
        model = _make_model(settings.model, servers, cache, waits)
        every, judge = [servers], None
        if settings.judge is not None and recipe.judge is not None:
            every.append(
                await stack.enter_async_context(_model_servers(settings.judge, concurrency, recipe, stop, telemetry))
            )
            judge = _make_model(settings.judge, every[-1], cache, waits)
        begin_at_zero(metrics, every)
        watch_endpoints(metrics, every)
        stack.enter_context(_pausing(every))
        answerer = Answerer(settings.model, recipe, model, judge=judge)
        telemetry.health.check(
            "kafka",
            (await stack.enter_async_context(feeling(kafka, watched=bool(settings.telemetry.metrics_port)))).trouble,
        )
        stack.enter_context(suppress(StoppedError))
        await unless_stopped(ensure_topics(kafka, role=Role.WORKER), stop)
        consumer = _make_member(kafka, settings.worker)
        await unless_stopped(start_patiently(consumer, kafka), stop)
        stack.push_async_callback(_leave, consumer)
        stack.push_async_callback(answerer.close)
        log.info("worker is up", extra={"group": TopicNames(kafka.namespace).group, "recipe": recipe.name})
        handler = Handler(TopicNames(kafka.namespace), answerer, telemetry.tracing)
        group = Group(
            kafka,
            settings.worker,
            consumer,
            handler,
            servers=len(settings.model.model_urls),
            may_take_in=lambda: all(each.available for each in every),
            finish_calls=lambda: _finish(every, answerer),
            telemetry=telemetry,
        )
        telemetry.health.note(START, None)
        await group.run(stop)
    log.info("worker has stopped")


class Handler:
    """Any record of qa.chunks to its outcome; the only exception is WorkerError."""

    def __init__(self, names: TopicNames, answerer: Answerer, tracing: Tracing) -> None:
        self._names = names
        self._answerer = answerer
        self._tracing = tracing

    async def __call__(self, record: Record) -> Outcome:
        try:
            chunk = decode(Chunk, record.value)
        except DecodeError as exc:
            return undecodable(record, str(exc), self._names)
        with self._tracing.span("answer chunk", {"chunk.id": chunk.chunk_id}, parent=record.headers):
            result = await self._answerer.answer(chunk, origin_of(record))
            headers = self._tracing.headers()
        return answered(record, result, self._names, max_bytes=MAX_RESULT_BYTES, headers=headers)


def default_cache_path() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qastream" / "generations.sqlite"


def _make_member(kafka: KafkaSettings, worker: WorkerSettings) -> AIOKafkaConsumer:
    session = worker.session_timeout_ms
    return make_consumer(
        kafka,
        group_id=TopicNames(kafka.namespace).group,
        auto_offset_reset="earliest",  # never used: each partition is sought before it is read
        partition_assignment_strategy=[ROUND_ROBIN],  # exactly one: mixed lists can't roll
        session_timeout_ms=session,
        heartbeat_interval_ms=max(100, min(1_000, session // 4)),  # by it a member learns of a rebalance
        rebalance_timeout_ms=max(session, 10_000),
        request_timeout_ms=max(session, 10_000) + 5_000,
        max_poll_interval_ms=300_000,
    )


@asynccontextmanager
async def _model_servers(
    model: ModelSettings,
    concurrency: int,
    recipe: Recipe,
    stop: asyncio.Event,
    telemetry: Telemetry[WorkerMetrics],
) -> AsyncIterator[ModelServers]:
    """Watched as long as the context lasts. A wrong model or key stops the worker."""
    async with AsyncExitStack() as stack:
        endpoints = make_endpoints(model, concurrency=concurrency)
        for endpoint in endpoints:
            stack.push_async_callback(endpoint.close)
        ask = observed_calls(telemetry.metrics, telemetry.tracing)
        servers = ModelServers(endpoints, ask=ask, any_model=recipe.any_model)
        watching = asyncio.create_task(servers.watch())
        watching.add_done_callback(lambda _: stop.set())
        try:
            yield servers
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


@contextmanager
def _pausing(every: list[ModelServers]) -> Iterator[None]:
    """SIGUSR1 pauses all, SIGUSR2 resumes them."""

    def switch(change: Callable[[ModelServers], None]) -> None:
        for servers in every:
            change(servers)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, switch, ModelServers.pause)
    loop.add_signal_handler(signal.SIGUSR2, switch, ModelServers.resume)
    try:
        yield
    finally:
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            loop.remove_signal_handler(number)


def _make_model(model: ModelSettings, servers: ModelServers, cache: Cache, waits: Waits) -> Model:
    return Model(model.model_name, servers, cache, waits=waits, priority=model.priority)


async def _finish(every: list[ModelServers], answerer: Answerer) -> None:
    await asyncio.gather(*(servers.finish() for servers in every))
    await answerer.keep_answers()


async def _open_cache(worker: WorkerSettings, stack: AsyncExitStack, metrics: WorkerMetrics) -> Cache:
    """Its look-ups are counted; without a cache there are none."""
    if not worker.cache:
        return NoCache()
    if worker.cache_url is not None:
        shared = RedisCache(worker.cache_url.get_secret_value())
        stack.push_async_callback(shared.close)
        return ObservedCache(shared, metrics)
    path = worker.cache_path or default_cache_path()
    cache = SqliteCache(path, max_bytes=worker.cache_bytes)
    try:
        await cache.open()
    except OSError as exc:
        raise WorkerError(f"generation cache {path}: {exc.strerror}. Set --cache-path, or --no-cache") from exc
    stack.push_async_callback(cache.close)
    return ObservedCache(cache, metrics)


async def _leave(consumer: AIOKafkaConsumer) -> None:
    if not await stop_reading(consumer, within_s=STOP_S):
        log.warning("the broker is away: the group will notice our absence after the session timeout")
