import asyncio
from contextlib import suppress

import orjson
import pytest
from prometheus_client import CollectorRegistry

from configs.settings import Settings, load_settings
from server.ports import free_port
from telemetry import exposition
from telemetry.exposition import ExpositionError, exposed
from telemetry.health import Health
from telemetry.metrics import SinkMetrics
from tests.support.metrics import get, scrape


@pytest.fixture
def settings():
    return load_settings({"metrics_port": free_port("127.0.0.1")})


async def test_what_is_counted_is_served_and_nothing_else(settings):
    metrics = SinkMetrics(CollectorRegistry())
    metrics.results.inc(3)
    async with exposed(settings.telemetry, metrics.registry, Health()):
        said = await scrape(settings)
    assert said.value("qastream_results_written_total") == 3
    assert "_created" not in said.text


async def test_readiness_has_its_reasons_and_life_has_none(settings):
    health, trouble = Health(), ["no broker"]
    health.check("kafka", lambda: trouble[0] if trouble else None)
    health.note("disk", None)
    async with exposed(settings.telemetry, CollectorRegistry(), health):
        status, body = await get(settings, "/readyz")
        assert (status, orjson.loads(body)) == (503, {"ready": False, "reasons": {"kafka": "no broker"}})
        assert (await get(settings, "/livez"))[0] == 200
        trouble.clear()
        assert (await get(settings, "/readyz"))[0] == 200


async def test_a_taken_port_is_said_in_a_line(settings):
    async with exposed(settings.telemetry, CollectorRegistry(), Health()):
        with pytest.raises(ExpositionError, match=f"--metrics-port {settings.telemetry.metrics_port}"):
            async with exposed(settings.telemetry, CollectorRegistry(), Health()):
                pass


async def test_without_a_port_nothing_listens():
    async with exposed(load_settings().telemetry, CollectorRegistry(), Health()):
        assert await get(load_settings(), "/livez") == (0, "")


async def connect(settings: Settings) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(settings.telemetry.metrics_host, settings.telemetry.metrics_port)


@pytest.mark.parametrize(
    "sent", [b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\nX: y\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"]
)
async def test_who_does_not_end_a_request_is_cut_off(settings, monkeypatch, sent):
    monkeypatch.setattr(exposition, "CONNECTION_S", 1)
    async with exposed(settings.telemetry, CollectorRegistry(), Health()):
        reader, writer = await connect(settings)
        writer.write(sent)
        async with asyncio.timeout(30):
            with suppress(ConnectionResetError):
                await reader.read()
        writer.close()


async def test_beyond_a_number_of_connections_others_are_closed_until_there_is_room(settings, monkeypatch):
    monkeypatch.setattr(exposition, "CONNECTION_S", 2)
    async with exposed(settings.telemetry, CollectorRegistry(), Health()), asyncio.timeout(60):
        many = [await connect(settings) for _ in range(exposition.MOST_CONNECTIONS + 5)]
        assert [await reader.read() for reader, _ in many[exposition.MOST_CONNECTIONS :]] == [b""] * 5
        while (await get(settings, "/livez"))[0] != 200:
            await asyncio.sleep(0.1)
        for _, writer in many:
            writer.close()


async def test_one_answer_ends_its_connection(settings):
    async with exposed(settings.telemetry, CollectorRegistry(), Health()):
        reader, writer = await connect(settings)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            assert (await reader.read()).endswith(b"alive\n")
        writer.close()
