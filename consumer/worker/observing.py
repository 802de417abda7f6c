"""Counts, measures and traces the calls of a worker, at seams that know nothing of metrics."""

import time
from collections import defaultdict
from collections.abc import Iterable

from consumer.worker.model.cache import Cache
from consumer.worker.model.endpoint import ModelEndpoint
from consumer.worker.model.servers import ModelServers
from inference.chat import ChatRequest, Completion
from inference.client import ModelClient, QueueSample
from inference.errors import ModelError
from schemas import PairType
from telemetry.metrics import CALL_OUTCOMES, WorkerMetrics
from telemetry.tracing import Tracing


class ObservedClient(ModelClient):
    """A ModelClient whose completions are counted, measured and traced."""

    def __init__(self, client: ModelClient, metrics: WorkerMetrics, tracing: Tracing) -> None:
        self.url = client.url
        self._client = client
        self._metrics = metrics
        self._tracing = tracing

    async def complete(
        self, request: ChatRequest, *, timeout_s: float, headers: Iterable[tuple[str, bytes]] = ()
    ) -> Completion:
        began_s, url, metrics = time.monotonic(), self.url, self._metrics
        with self._tracing.span("model call", {"endpoint": url}):
            sent = (*headers, *self._tracing.headers())
            try:
                completion = await self._client.complete(request, timeout_s=timeout_s, headers=sent)
            except ModelError as exc:
                metrics.calls.labels(url, exc.error_class).inc()
                if exc.partial is not None:
                    self._count_tokens(exc.partial)
                raise
        metrics.calls.labels(url, "ok").inc()
        metrics.call_seconds.labels(url).observe(time.monotonic() - began_s)
        self._count_tokens(completion)
        if request.response_format is not None and completion.content.lstrip()[:1] != "{":
            metrics.wrapped_answers.labels(url).inc()
        return completion

    async def models(self) -> dict[str, str]:
        return await self._client.models()

    async def probe(self, model: str, *, timeout_s: float) -> None:
        await self._client.probe(model, timeout_s=timeout_s)

    async def queue(self) -> QueueSample | None:
        return await self._client.queue()

    async def close(self) -> None:
        await self._client.close()

    def _count_tokens(self, completion: Completion) -> None:
        tokens, url = self._metrics.tokens, self.url
        tokens.labels(url, "prompt").inc(completion.prompt_tokens)
        tokens.labels(url, "cached_prompt").inc(completion.cached_prompt_tokens)
        tokens.labels(url, "completion").inc(completion.completion_tokens)


def watch_endpoints(metrics: WorkerMetrics, all_servers: Iterable[ModelServers]) -> None:
    """Sets the gauges of all endpoints. A URL that serves model and judge is one endpoint here: their limits add up."""
    at: defaultdict[str, list[tuple[ModelEndpoint, ModelServers]]] = defaultdict(list)
    for servers in all_servers:
        for endpoint in servers.endpoints:
            at[endpoint.url].append((endpoint, servers))
    _begin_at_zero(metrics, at)
    for url, models in at.items():
        _watch(metrics, url, models)


def _begin_at_zero(metrics: WorkerMetrics, urls: Iterable[str]) -> None:
    """Makes all series with the value 0, because `rate` does not see the rise of a series that was not there before."""
    for kind in PairType:
        for outcome in ("accepted", "rejected"):
            metrics.pairs.labels(outcome, kind)
    for url in urls:
        metrics.call_seconds.labels(url)
        metrics.wrapped_answers.labels(url)
        for outcome in CALL_OUTCOMES:
            metrics.calls.labels(url, outcome)
        for tokens in ("prompt", "cached_prompt", "completion"):
            metrics.tokens.labels(url, tokens)


def _watch(metrics: WorkerMetrics, url: str, models: list[tuple[ModelEndpoint, ModelServers]]) -> None:
    endpoints = [endpoint for endpoint, _ in models]
    metrics.model_limit.labels(url).set_function(lambda: sum(endpoint.limit for endpoint in endpoints))
    metrics.model_up.labels(url).set_function(lambda: float(not any(endpoint.away for endpoint in endpoints)))
    metrics.model_in_flight.labels(url).set_function(lambda: sum(servers.in_flight(each) for each, servers in models))
    metrics.model_queue.labels(url, "running").set_function(lambda: max(each.sample.running for each in endpoints))
    metrics.model_queue.labels(url, "waiting").set_function(lambda: max(each.sample.waiting for each in endpoints))


class ObservedCache(Cache):
    """A cache whose look-ups are counted."""

    def __init__(self, cache: Cache, metrics: WorkerMetrics) -> None:
        self._cache = cache
        self._lookups = metrics.cache_lookups

    async def get(self, key: str) -> bytes | None:
        found = await self._cache.get(key)
        self._lookups.labels("miss" if found is None else "hit").inc()
        return found

    async def put(self, key: str, value: bytes) -> None:
        await self._cache.put(key, value)
