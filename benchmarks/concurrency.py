"""Output tokens a second and latency of the adaptive limit beside fixed ones, on one real vLLM, in one run.

    python benchmarks/concurrency.py --url http://127.0.0.1:8000/v1 --fixed 2,4,8,16,32 --seconds 30

Each round is made of different prompts, so that no prefix cache helps a later one.
"""

import argparse
import asyncio
import itertools
import json
import random
import statistics
import time
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from configs.settings import load_settings
from consumer.worker.controller import LimitController, QueueSample
from consumer.worker.endpoint import Endpoint, make_endpoints
from consumer.worker.errors import TruncatedError
from consumer.worker.servers import ModelServers

WORDS = (
    "gate",
    "oxide",
    "film",
    "plasma",
    "etch",
    "dopant",
    "wafer",
    "mask",
    "pixel",
    "panel",
    "anode",
    "layer",
    "trench",
)


@dataclass(frozen=True)
class Round:
    name: str
    tokens_per_s: float
    p50_s: float
    p95_s: float
    limits: list[list[int]]


class Fixed(LimitController):
    def observe(self, sample: QueueSample, in_flight: int) -> None: ...
    def tick(self, in_flight: int) -> None: ...


@asynccontextmanager
async def servers_of(url: str, fixed: int | None):
    (endpoint,) = make_endpoints(load_settings({"model_urls": url, "concurrency": 256}))
    if fixed:
        endpoint.controller = Fixed(least=fixed, most=fixed, start=fixed)
    servers = ModelServers([endpoint])
    watching = asyncio.create_task(servers.watch())
    try:
        await servers.root()
        yield servers, endpoint
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await endpoint.close()


async def drive(url: str, name: str, *, fixed: int | None, workers: int, seconds: float, tokens: int) -> Round:
    """Endless work from `workers` independent limits for `seconds`, the cold start included."""
    chance = random.Random(name)
    latencies: list[float] = []
    made = 0
    limits: list[list[int]] = []
    async with AsyncManaged([servers_of(url, fixed) for _ in range(workers)]) as pools:
        end = time.monotonic() + seconds

        async def caller(servers: ModelServers) -> None:
            nonlocal made
            while time.monotonic() < end:
                text = " ".join(chance.choice(WORDS) for _ in range(120))
                body = {
                    "model": "qwen-vllm",
                    "messages": [{"role": "user", "content": text}],
                    "max_tokens": tokens,
                    "ignore_eos": True,
                    "temperature": 1.0,
                }
                began = time.monotonic()
                try:
                    await servers.complete(body)
                except TruncatedError:  # every answer has its full length
                    if time.monotonic() < end:
                        made += tokens
                        latencies.append(time.monotonic() - began)

        async def look() -> None:
            while time.monotonic() < end:
                limits.append([endpoint.limit for _, endpoint in pools])
                await asyncio.sleep(0.5)

        callers = [caller(servers) for servers, _ in pools for _ in range(fixed or 256 // workers)]
        await asyncio.gather(look(), *callers)
    ordered = sorted(latencies)
    return Round(name, made / seconds, statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))], limits)


class AsyncManaged:
    """Several async context managers as one."""

    def __init__(self, managers) -> None:
        self._managers = managers

    async def __aenter__(self) -> list[tuple[ModelServers, Endpoint]]:
        return [await manager.__aenter__() for manager in self._managers]

    async def __aexit__(self, *exc) -> None:
        for manager in self._managers:
            await manager.__aexit__(*exc)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--fixed", default="2,4,8,16,32,64")
    parser.add_argument("--workers", default="1,3")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rounds = []
    await drive(args.url, "warm-up", fixed=8, workers=1, seconds=5, tokens=args.tokens)
    plan = itertools.chain(
        ((f"fixed {n}", int(n), 1) for n in args.fixed.split(",")),
        ((f"adaptive, {n} worker(s)", None, int(n)) for n in args.workers.split(",")),
    )
    for name, fixed, workers in plan:
        result = await drive(args.url, name, fixed=fixed, workers=workers, seconds=args.seconds, tokens=args.tokens)
        rounds.append(result)
        last = result.limits[-1] if result.limits else []
        seen = f"{result.tokens_per_s:8.0f} tokens/s  p50 {result.p50_s:6.2f} s  p95 {result.p95_s:6.2f} s"
        print(f"{name:24} {seen}  {last}", flush=True)
    best = max(r.tokens_per_s for r in rounds if r.name.startswith("fixed"))
    knee = next(r for r in rounds if r.name.startswith("fixed") and r.tokens_per_s >= 0.95 * best)
    for r in rounds:
        if r.name.startswith("adaptive"):
            share, slower = r.tokens_per_s / best, r.p50_s / knee.p50_s
            print(f"{r.name}: {share:.2f} of the best fixed, p50 {slower:.2f} of that at the knee ({knee.name})")
    if args.json:
        args.json.write_text(json.dumps([asdict(r) for r in rounds]))


asyncio.run(main())
