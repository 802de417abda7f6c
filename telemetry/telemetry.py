"""Metrics, health and traces of a process, opened together."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector

from configs.sections import TelemetrySettings
from telemetry.exposition import exposed
from telemetry.health import Health
from telemetry.metrics import ProcessMetrics
from telemetry.tracing import NoTracing, Tracing, open_tracing

START = "start"
M = TypeVar("M", bound=ProcessMetrics)


@dataclass(frozen=True, slots=True)
class Telemetry(Generic[M]):
    """The means by which a process is observed."""

    metrics: M
    health: Health = field(default_factory=Health)
    tracing: Tracing = field(default_factory=NoTracing)


def unseen(make_metrics: Callable[[CollectorRegistry], M]) -> Telemetry[M]:
    """Return telemetry that nobody reads: nothing is served and nothing is sent."""
    return Telemetry(make_metrics(CollectorRegistry()))


@asynccontextmanager
async def open_telemetry(
    settings: TelemetrySettings, make_metrics: Callable[[CollectorRegistry], M], *, process: str
) -> AsyncIterator[Telemetry[M]]:
    """Serve metrics on `metrics_port` and send traces to `otlp_endpoint`. Raises a QAStreamError.

    The process is not ready until it clears the trouble `START`.
    """
    registry, health = CollectorRegistry(), Health()
    health.note(START, "it is starting")
    ProcessCollector(registry=registry)
    async with AsyncExitStack() as stack:
        tracing = await stack.enter_async_context(open_tracing(settings, process=process))
        telemetry = Telemetry(make_metrics(registry), health, tracing)
        telemetry.metrics.ready.set_function(lambda: float(health.ready))
        await stack.enter_async_context(exposed(settings, registry, health))
        yield telemetry
