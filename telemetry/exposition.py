"""Serves /metrics, /livez and /readyz of one process on `metrics_port`."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder

from configs.errors import QAStreamError
from configs.sections import TelemetrySettings
from telemetry.health import Health


class ExpositionError(QAStreamError):
    """The metrics port can't be opened."""


class _WithoutCreated:
    """A view of a registry without the `_created` series that the library adds to each counter."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


def make_app(registry: CollectorRegistry, health: Health) -> web.Application:
    """Make the web application. The event loop that does the work answers /livez, so a hanging process does not."""

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(_WithoutCreated(registry)), headers={"Content-Type": content_type})

    async def live(_: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def ready(_: web.Request) -> web.Response:
        reasons = health.reasons()
        body = orjson.dumps({"ready": not reasons, "reasons": reasons}) + b"\n"
        return web.Response(body=body, status=503 if reasons else 200, content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/livez", live), web.get("/readyz", ready)])
    return app


@asynccontextmanager
async def exposed(settings: TelemetrySettings, registry: CollectorRegistry, health: Health) -> AsyncIterator[None]:
    """Serve the addresses while the context lasts; port 0 serves nothing. Raises ExpositionError."""
    if not settings.metrics_port:
        yield
        return
    runner = web.AppRunner(make_app(registry, health), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.metrics_host, settings.metrics_port).start()
    except OSError as exc:
        await runner.cleanup()
        raise ExpositionError(
            f"--metrics-port {settings.metrics_port} on {settings.metrics_host}: {exc.strerror}. "
            "Each process on a machine needs a port of its own; 0 serves nothing"
        ) from exc
    try:
        yield
    finally:
        await runner.cleanup()
