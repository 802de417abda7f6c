"""Traces through OpenTelemetry. A thread of the library sends the spans over OTLP/HTTP."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from telemetry.tracing import Attributes, Header

SEND_S = 3.0
"""Longest time to send at the end, because a missing collector must not hold up a process."""


class Ids(RandomIdGenerator):
    """Gives random trace ids, or `wanted` (32 hex digits) where it is set."""

    def __init__(self) -> None:
        self.wanted = ""

    def generate_trace_id(self) -> int:
        return int(self.wanted, 16) if self.wanted else super().generate_trace_id()


class OtelTracing:
    """The implementation of `telemetry.tracing.Tracing` that sends spans."""

    on = True

    def __init__(self, provider: TracerProvider, ids: Ids) -> None:
        self._tracer = provider.get_tracer("qastream")
        self._ids = ids
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Attributes,
        *,
        parent: Iterable[Header] = (),
        trace_id: str = "",
        start_ns: int | None = None,
    ) -> Iterator[object]:
        context = Context() if trace_id else self._context(parent)
        self._ids.wanted = trace_id
        entering = self._tracer.start_as_current_span(
            name,
            context,
            attributes=attributes,
            start_time=start_ns,
            record_exception=False,  # a server's error may quote the prompt
            set_status_on_exception=False,
        )
        with entering as span:
            self._ids.wanted = ""
            try:
                yield span
            except BaseException as exc:
                span.set_status(StatusCode.ERROR)
                span.set_attribute("error.type", getattr(exc, "error_class", type(exc).__name__))
                raise

    def headers(self) -> list[Header]:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return [(name, value.encode()) for name, value in carrier.items()]

    def _context(self, parent: Iterable[Header]) -> Context | None:
        carrier = {name: value.decode("ascii", "replace") for name, value in parent if value is not None}
        return self._propagator.extract(carrier) if carrier else None


@asynccontextmanager
async def exporting(endpoint: str, *, process: str) -> AsyncIterator[OtelTracing]:
    """Send spans to the collector with the base URL `endpoint`. The end of the context sends the last ones."""
    ids = Ids()
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"qastream-{process}"}), id_generator=ids, shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces", timeout=SEND_S)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    try:
        yield OtelTracing(provider, ids)
    finally:
        await asyncio.to_thread(provider.shutdown)  # it sends the last spans, and may wait for a missing collector
