"""/metrics, /livez and /readyz of one process, on `metrics_port`."""

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
    """The port for metrics can't be had."""


class _Told:
    """A registry without the library's `_created` series, of which there would be one for each counter."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


def make_app(registry: CollectorRegistry, health: Health) -> web.Application:
    """/livez is answered by the loop that does the work: one that hangs does not answer."""

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(_Told(registry)), headers={"Content-Type": content_type})

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
    """Nothing with port 0. Raises ExpositionError."""
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
            "Each process on a machine needs one of its own; 0 serves none"
        ) from exc
    try:
        yield
    finally:
        await runner.cleanup()
