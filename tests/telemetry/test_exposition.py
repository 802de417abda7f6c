import orjson
import pytest
from prometheus_client import CollectorRegistry

from configs.settings import load_settings
from server.ports import free_port
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
