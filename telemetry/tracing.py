"""Traces, off unless `otlp_endpoint` is set. OpenTelemetry is imported only where they are on.

Between processes a trace travels as W3C's `traceparent`, in headers of Kafka records and of HTTP requests.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from importlib.util import find_spec
from typing import Protocol

from configs.errors import SettingsError
from configs.sections import TelemetrySettings

Header = tuple[str, bytes]
"""Name and value of a Kafka record's header."""
Attributes = Mapping[str, str | int]


class Tracing(Protocol):
    """Makes spans. `on` tells if they are sent."""

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
        """Open a span that is the current one while the context lasts.

        Its parent is the span in the headers `parent`, or else the current one. With `trace_id` (32 hex digits) it
        has no parent and belongs to that trace.
        """

    def headers(self) -> list[Header]:
        """Return headers that make the current span the parent of a span in another process."""


class NoTracing:
    """The implementation that makes no spans."""

    on = False

    def span(self, *_: object, **__: object) -> AbstractContextManager[object]:
        return nullcontext()

    def headers(self) -> list[Header]:
        return []


@asynccontextmanager
async def open_tracing(settings: TelemetrySettings, *, process: str) -> AsyncIterator[Tracing]:
    """Open the traces of a process. Raises SettingsError if they are on and OpenTelemetry is not installed."""
    if settings.otlp_endpoint is None:
        yield NoTracing()
        return
    if find_spec("opentelemetry") is None:
        raise SettingsError("--otlp-endpoint needs OpenTelemetry, which is not installed: install the extra `traces`")
    from telemetry.otel import exporting  # noqa: PLC0415 - an extra

    async with exporting(settings.otlp_endpoint, process=process) as tracing:
        yield tracing
