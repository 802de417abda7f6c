"""The state of the model servers as workers give it on /metrics, which Prometheus reads too."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

ANSWER_S = 3.0


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """One model server, with sums over the workers that use it: the server answers `up` of them.

    `running` and `waiting` are its queues over all clients, as last seen.
    """

    url: str
    workers: int = 0
    up: int = 0
    limit: int = 0
    in_flight: int = 0
    running: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Scraped:
    """The model servers by the metrics of all addresses. `silent` has the addresses that gave no metrics."""

    endpoints: tuple[EndpointStatus, ...] = ()
    silent: tuple[str, ...] = ()


async def look_at_endpoints(addresses: Sequence[str]) -> Scraped:
    """Reads the metrics of all workers at the same time; `addresses` are those of their /metrics."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_S)) as session:
        texts = await asyncio.gather(*(_text(session, address) for address in addresses))
    silent = tuple(address for address, text in zip(addresses, texts, strict=True) if text is None)
    return Scraped(endpoints_in(text for text in texts if text is not None), silent)


async def _text(session: aiohttp.ClientSession, address: str) -> str | None:
    try:
        async with session.get(address) as response:
            is_text = response.status == 200 and response.content_type == "text/plain"
            return await response.text() if is_text else None
    except (aiohttp.ClientError, TimeoutError):
        return None


def endpoints_in(texts: Iterable[str]) -> tuple[EndpointStatus, ...]:
    """Returns the model servers in metrics in Prometheus' text format, one text for each worker."""
    found: dict[str, EndpointStatus] = {}
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                url = sample.labels.get("endpoint", "")
                if url:
                    known = found.setdefault(url, EndpointStatus(url))
                    found[url] = _with(known, sample.name, sample.labels.get("state", ""), int(sample.value))
    return tuple(sorted(found.values(), key=lambda endpoint: endpoint.url))


def _with(known: EndpointStatus, name: str, state: str, value: int) -> EndpointStatus:
    match name, state:
        case "qastream_model_up", _:
            return replace(known, workers=known.workers + 1, up=known.up + value)
        case "qastream_model_limit", _:
            return replace(known, limit=known.limit + value)
        case "qastream_model_calls_in_flight", _:
            return replace(known, in_flight=known.in_flight + value)
        case "qastream_model_queue", "running":
            return replace(known, running=max(known.running, value))
        case "qastream_model_queue", "waiting":
            return replace(known, waiting=max(known.waiting, value))
    return known
