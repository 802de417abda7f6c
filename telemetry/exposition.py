"""Serves /metrics, /livez and /readyz of one process on `metrics_port`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder

from configs.errors import QAStreamError
from configs.sections import TelemetrySettings
from telemetry.health import Health

MOST_CONNECTIONS = 64
"""Connections at a time. A further one is closed at once, so that no stranger takes all file descriptors."""
CONNECTION_S = 10
"""Seconds that a connection may last, from its first byte to its last. An answer takes milliseconds."""


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
    app.on_response_prepare.append(_last_of_its_connection)
    app.add_routes([web.get("/metrics", metrics), web.get("/livez", live), web.get("/readyz", ready)])
    return app


async def _last_of_its_connection(_: web.Request, response: web.StreamResponse) -> None:
    response.force_close()


class _Refusal(asyncio.Protocol):
    """Closes a connection at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


async def _end_old_connections(server: web.Server) -> None:
    """Cut connections that last too long, whether they send no head, an endless one, or take no answer."""
    ages: dict[asyncio.BaseProtocol, int] = {}
    while True:
        await asyncio.sleep(1)
        ages = {connection: ages.get(connection, 0) + 1 for connection in server.connections}
        for connection in server.connections:
            if ages[connection] >= CONNECTION_S and isinstance(connection.transport, asyncio.Transport):
                connection.transport.abort()


@asynccontextmanager
async def exposed(settings: TelemetrySettings, registry: CollectorRegistry, health: Health) -> AsyncIterator[None]:
    """Serve the addresses while the context lasts; port 0 serves nothing. Raises ExpositionError."""
    if not settings.metrics_port:
        yield
        return
    runner = web.AppRunner(make_app(registry, health), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    server = runner.server
    assert server is not None

    def accept() -> asyncio.BaseProtocol:
        return server() if len(server.connections) < MOST_CONNECTIONS else _Refusal()

    try:
        listening = await asyncio.get_running_loop().create_server(
            accept, settings.metrics_host, settings.metrics_port, reuse_address=True
        )
    except OSError as exc:
        await runner.cleanup()
        raise ExpositionError(
            f"--metrics-port {settings.metrics_port} on {settings.metrics_host}: {exc.strerror}. "
            "Each process on a machine needs a port of its own; 0 serves nothing"
        ) from exc
    ending = asyncio.create_task(_end_old_connections(server))
    try:
        yield
    finally:
        listening.close()
        ending.cancel()
        await runner.cleanup()
