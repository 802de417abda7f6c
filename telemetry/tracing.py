"""Traces, off unless `otlp_endpoint` is set; where they are off, OpenTelemetry is not imported for them.

From process to process a trace goes as W3C's `traceparent`, in the headers of Kafka records and of requests.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from importlib.util import find_spec
from typing import Protocol

from configs.errors import SettingsError
from configs.sections import TelemetrySettings

Header = tuple[str, bytes]
"""As Kafka records have them."""
Attributes = Mapping[str, str | int]


class Tracing(Protocol):
    @property
    def on(self) -> bool: ...
    def span(
        self,
        name: str,
        attributes: Attributes,
        *,
        parent: Iterable[Header] = (),
        trace_id: str = "",
        start_ns: int | None = None,
    ) -> AbstractContextManager[object]:
        """The current span while the context lasts.

        It is a child of the span that `parent` names, or of the current one; with `trace_id` (32 hex digits) it has no
        parent and belongs to that trace.
        """

    def headers(self) -> list[Header]:
        """What makes the current span the parent of another process's."""


class NoTracing:
    """Does nothing, at the cost of a call."""

    on = False

    def span(self, *_: object, **__: object) -> AbstractContextManager[object]:
        return nullcontext()

    def headers(self) -> list[Header]:
        return []


@asynccontextmanager
async def open_tracing(settings: TelemetrySettings, *, process: str) -> AsyncIterator[Tracing]:
    """Raises SettingsError where traces are wanted and OpenTelemetry is not installed."""
    if settings.otlp_endpoint is None:
        yield NoTracing()
        return
    if find_spec("opentelemetry") is None:
        raise SettingsError("--otlp-endpoint needs OpenTelemetry, which is not installed: the extra `traces` has it")
    from telemetry.otel import exporting  # noqa: PLC0415 - an extra

    async with exporting(settings.otlp_endpoint, process=process) as tracing:
        yield tracing
