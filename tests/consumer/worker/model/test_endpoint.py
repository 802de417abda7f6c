"""What a worker adds to a client: probes that grow, and the pace of a server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chaos.fake_model import FakeModel
from configs.settings import load_settings
from consumer.worker.model.endpoint import ModelEndpoint, Pace
from inference.errors import TransientError
from tests.support.settings import endpoints_of


@asynccontextmanager
async def endpoint_of(url: str, *, timeout_s: float) -> AsyncIterator[ModelEndpoint]:
    (endpoint,) = endpoints_of(load_settings({"model_urls": url, "timeout_s": timeout_s}))
    try:
        yield endpoint
    finally:
        await endpoint.close()


async def test_a_probe_is_bounded_and_gets_twice_as_long_when_none_came(monkeypatch):
    monkeypatch.setattr("consumer.worker.model.endpoint.PROBE_S", 0.05)
    async with FakeModel().serve() as server, endpoint_of(server.url, timeout_s=0.15) as endpoint:
        server.engine_hangs = True
        for within in ("0.05", "0.1", "0.15", "0.15"):
            with pytest.raises(TransientError, match=f"within {within} s"):
                await endpoint.probe()
        server.engine_hangs = False
        endpoint._timeout_s = endpoint._probe_s = 30.0  # this one is to be in time
        await endpoint.probe()
        server.engine_hangs = True
        with pytest.raises(TransientError, match=r"within 0\.05 s"):
            await endpoint.probe()


def test_a_hung_request_is_given_up_by_the_pace_that_was_seen():
    pace = Pace()
    assert pace.timeout_s(2000, most_s=3600) == 3600, "nothing seen yet"
    for _ in range(50):
        pace.answered(100, 2.0)
    assert pace.timeout_s(2000, most_s=3600) == pytest.approx(400)
    assert pace.timeout_s(2000, most_s=90) == 90, "the guide's timeout is the most"
    assert pace.timeout_s(10, most_s=3600) == Pace.LEAST_S
