"""What a process says of itself over HTTP."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from configs.settings import Settings


@dataclass(frozen=True, slots=True)
class Scrape:
    text: str

    def value(self, name: str, **labels: str) -> float:
        """The sum over all series of `name` that have these labels."""
        samples = [sample for family in text_string_to_metric_families(self.text) for sample in family.samples]
        assert any(sample.name == name for sample in samples), f"no {name} in\n{self.text}"
        return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


async def get(settings: Settings, path: str) -> tuple[int, str]:
    """Status and body; (0, "") while nobody listens."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(
                f"http://{settings.telemetry.metrics_host}:{settings.telemetry.metrics_port}{path}"
            ) as response,
        ):
            return response.status, await response.text()
    except aiohttp.ClientConnectionError:
        return 0, ""


async def scrape(settings: Settings) -> Scrape:
    status, text = await get(settings, "/metrics")
    assert status == 200
    return Scrape(text)


async def readiness(settings: Settings) -> tuple[int, str]:
    return await get(settings, "/readyz")


async def until(settings: Settings, ready: Callable[[int, str], Any], *, within_s: float = 60.0) -> str:
    """The body of /readyz once its status and body are as wanted."""
    async with asyncio.timeout(within_s):
        while True:
            status, body = await readiness(settings)
            if ready(status, body):
                return body
            await asyncio.sleep(0.05)
