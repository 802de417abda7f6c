import subprocess
import sys
from pathlib import Path

import pytest

from configs.errors import SettingsError
from configs.settings import load_settings
from telemetry import tracing
from telemetry.tracing import NoTracing, open_tracing

ROOT = Path(__file__).resolve().parents[2]
OFF = """
import asyncio, sys
import consumer.sink.service, consumer.worker.app, producer.app
from configs.settings import load_settings
from telemetry.tracing import open_tracing

async def main():
    async with open_tracing(load_settings().telemetry, process="worker") as tracing:
        with tracing.span("x", {}):
            assert tracing.headers() == []

asyncio.run(main())
assert not [name for name in sys.modules if name.startswith(("telemetry.otel", "opentelemetry.exporter"))]
"""


def test_off_none_of_it_is_imported_for_us():
    subprocess.run([sys.executable, "-c", OFF], cwd=ROOT, check=True)


async def test_without_the_extra_the_setting_is_refused(monkeypatch):
    monkeypatch.setattr(tracing, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match="extra `traces`"):
        async with open_tracing(load_settings({"otlp_endpoint": "http://localhost:4318"}).telemetry, process="worker"):
            pass


def test_an_endpoint_is_an_address():
    with pytest.raises(SettingsError, match="localhost:4318"):
        load_settings({"otlp_endpoint": "localhost:4317"})


async def test_a_collector_that_is_away_ends_nothing_and_tells_no_message():
    settings = load_settings({"otlp_endpoint": "http://127.0.0.1:9"})
    with pytest.raises(ValueError, match="text"):
        async with open_tracing(settings.telemetry, process="worker") as traces:
            with traces.span("a", {}, trace_id="0123456789abcdef0123456789abcdef") as span:
                [(name, value)] = traces.headers()
                assert (name, value[:36]) == ("traceparent", b"00-0123456789abcdef0123456789abcdef-")
                with traces.span("b", {}) as child:
                    assert child.parent.span_id == span.get_span_context().span_id
                raise ValueError("text of a document")
    assert span.status.description is None
    assert span.attributes["error.type"] == "ValueError"
    assert not span.events


def test_no_tracing_is_off():
    assert not NoTracing().on
