"""Compares the adaptive limit with fixed ones on one real vLLM: output tokens per second, and latency.

    python benchmarks/concurrency.py
    python benchmarks/concurrency.py --url http://gpu-1:8000/v1 --fixed 32,64,128,256,512 --concurrency 1024

Without --url it starts a vLLM with a tiny model on one CPU core (--slots requests run at once); the clients get the
other cores. First a sweep of fixed limits, repeated --passes times, finds the best limit and the knee, the smallest one
with 0.95 of its tokens. Then these two and the adaptive limit take turns, --turns times, in rounds of equal length. A
machine is not equally fast all the time, so a ratio compares two rounds of one turn, and the median of the ratios
counts. An adaptive limit starts cold in each round, and its cold start counts. Every round has prompts of its own, so
that no prefix cache helps a later round. --write puts table and plot into docs/concurrency.md.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from configs.settings import load_settings  # noqa: E402
from consumer.worker.model.controller import LimitController  # noqa: E402
from consumer.worker.model.endpoint import ModelEndpoint  # noqa: E402
from consumer.worker.model.servers import ModelServers  # noqa: E402
from inference.chat import ChatMessage, ChatRequest, Completion  # noqa: E402
from inference.client import ModelClient, QueueSample  # noqa: E402
from inference.errors import TruncatedError  # noqa: E402
from server.ports import free_port  # noqa: E402
from tests.support.settings import endpoints_of  # noqa: E402
from tests.vllm_cpu.server import running  # noqa: E402

PAGE, PLOT = ROOT / "docs" / "concurrency.md", ROOT / "docs" / "concurrency.svg"
BEGIN, END = "<!-- measured: made by `python benchmarks/concurrency.py --write` -->", "<!-- /measured -->"
SERVER_CORE = 0
IMPORTS_S = 6.0
LEAD_S = 1.0
"""Seconds from the start of a round's processes to the round, which begins in all of them at once."""
KNEE = 0.95
WORDS = "gate oxide film plasma etch dopant wafer mask pixel panel anode layer trench".split()  # noqa: SIM905


@dataclass(frozen=True)
class Load:
    """The load of one process: endless work from `begin_s` (time.time()) for `seconds`, under some limit."""

    url: str
    name: str
    fixed: int | None
    concurrency: int
    seconds: float
    tokens: int
    share: float = 1.0
    priority: int | None = None
    seed: str = ""
    begin_s: float = 0.0


@dataclass(frozen=True)
class Done:
    latencies: list[float]
    limits: list[int]


@dataclass(frozen=True)
class Round:
    name: str
    tokens_per_s: float
    p50_s: float
    p95_s: float
    limits: list[int]

    @property
    def adaptive(self) -> bool:
        return not self.name.startswith("fixed")


class Fixed(LimitController):
    def observe(self, sample: QueueSample, in_flight: int) -> None: ...
    def tick(self, in_flight: int) -> None: ...


@asynccontextmanager
async def _driven(
    load: Load, observed: Callable[[ModelClient], ModelClient]
) -> AsyncIterator[tuple[ModelServers, ModelEndpoint]]:
    settings = {"model_urls": load.url, "concurrency": load.concurrency, "share": load.share}
    (endpoint,) = endpoints_of(load_settings(settings), observed=observed)
    if load.fixed:
        endpoint.controller = Fixed(least=load.fixed, most=load.fixed, start=load.fixed)
    servers = ModelServers([endpoint])
    watching = asyncio.create_task(servers.watch())
    try:
        await servers.root()
        yield servers, endpoint
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await endpoint.close()


def work(load: Load) -> Done:
    """Do the work of a load. It runs in a process of its own."""
    return asyncio.run(_work(load))


async def _work(load: Load) -> Done:
    chance = random.Random(load.seed)
    done = Done([], [])
    await asyncio.sleep(max(0.0, load.begin_s - time.time()))
    end = time.monotonic() + load.seconds
    async with _driven(load, lambda client: Timed(client, end, done)) as (servers, endpoint):
        callers = [_call(load, servers, chance, end) for _ in range(load.fixed or load.concurrency)]
        await asyncio.gather(_look(endpoint, end, done), *callers)
    return done


class Timed:
    """A client that measures the time of calls at the server, without the wait for a slot."""

    def __init__(self, client: ModelClient, end: float, done: Done) -> None:
        self.url, self.models, self.probe = client.url, client.models, client.probe
        self.queue, self.close = client.queue, client.close
        self._client, self._end, self._done = client, end, done

    async def complete(self, request: ChatRequest, **more: Any) -> Completion:
        began = time.monotonic()
        try:
            return await self._client.complete(request, **more)
        finally:
            if time.monotonic() < self._end:
                self._done.latencies.append(time.monotonic() - began)


async def _call(load: Load, servers: ModelServers, chance: random.Random, end: float) -> None:
    while time.monotonic() < end:
        text = " ".join(chance.choice(WORDS) for _ in range(120))
        with suppress(TruncatedError):  # every answer has its full length
            tokens = chance.randint(load.tokens // 2, load.tokens * 3 // 2)  # otherwise all would end in the same step
            await servers.complete(request(text, tokens=tokens, priority=load.priority))


def request(text: str, *, tokens: int, priority: int | None = None) -> ChatRequest:
    return ChatRequest(
        model="qwen-vllm",
        messages=(ChatMessage("user", text),),
        max_tokens=tokens,
        temperature=1.0,
        priority=priority,
        extra={"ignore_eos": True},
    )


async def _look(endpoint: ModelEndpoint, end: float, done: Done) -> None:
    while time.monotonic() < end:
        done.limits.append(endpoint.limit)
        await asyncio.sleep(0.5)


def measure(loads: list[Load], pool: ProcessPoolExecutor) -> Round:
    begin_s = time.time() + LEAD_S
    loads = [replace(load, begin_s=begin_s) for load in loads]
    working = pool.map(work, loads)
    tokens_per_s = counted(loads[0])
    parts = list(working)
    latencies = sorted(latency for part in parts for latency in part.latencies)
    if not latencies:
        raise SystemExit(f"{loads[0].name}: no answer within {loads[0].seconds:g} s")
    return Round(
        name=loads[0].name,
        tokens_per_s=tokens_per_s,
        p50_s=statistics.median(latencies),
        p95_s=quantile(latencies, 0.95),
        limits=[part.limits[-1] for part in parts],
    )


def counted(load: Load) -> float:
    """Tokens per second during `load`, by the server's own count."""
    time.sleep(max(0.0, load.begin_s - time.time()))
    began, before = time.monotonic(), generated(load.url)
    time.sleep(load.seconds)
    return (generated(load.url) - before) / (time.monotonic() - began)


def generated(url: str) -> float:
    with urllib.request.urlopen(f"{url.removesuffix('/v1')}/metrics") as reply:
        lines = reply.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("vllm:generation_tokens_total{"))


def quantile(ordered: list[float], part: float) -> float:
    return ordered[int(part * (len(ordered) - 1))]


@contextmanager
def server(url: str | None, *flags: str, slots: int) -> Iterator[str]:
    """The URL of the given model server, or of one started here on the first core."""
    if url is not None:
        yield url
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    with (
        tempfile.TemporaryDirectory(prefix="qastream-bench-") as folder,
        running(
            port=free_port("127.0.0.1"),
            log_path=Path(folder) / "vllm.log",
            extra=["--max-num-seqs", str(slots), *flags],
        ) as vllm,
    ):
        os.sched_setaffinity(0, cores - {SERVER_CORE} or cores)
        try:
            yield f"{vllm.base_url}/v1"
        finally:
            os.sched_setaffinity(0, cores)


def clients(number: int) -> ProcessPoolExecutor:
    """Worker processes that have done all imports."""
    pool = ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn"))
    list(pool.map(time.sleep, [IMPORTS_S] * number))
    return pool


def sweep(args: argparse.Namespace, url: str, pool: ProcessPoolExecutor) -> list[Round]:
    """The medians over the passes for each fixed limit."""
    found: dict[int, list[Round]] = {int(each): [] for each in args.fixed.split(",")}
    for number in range(args.passes):
        for limit, passes in found.items():
            passes.append(measure(loads(args, url, f"sweep {number}", fixed=limit, seconds=args.seconds), pool))
            show(passes[-1])
    return [middle(passes) for passes in found.values()]


def turns(args: argparse.Namespace, url: str, pool: ProcessPoolExecutor, fixed: set[int]) -> list[list[Round]]:
    """Rounds of the fixed limits and the adaptive one, one after the other; a list for each turn."""
    found: list[list[Round]] = []
    for number in range(args.turns):
        seed = f"turn {number}"
        plan = [loads(args, url, seed, fixed=limit, seconds=args.cold_seconds) for limit in sorted(fixed)]
        plan += [
            loads(args, url, seed, workers=workers, seconds=args.cold_seconds)
            for workers in map(int, args.workers.split(","))
        ]
        found.append([measure(each, pool) for each in plan])
        print(f"turn {number + 1}")
        for each in found[-1]:
            show(each)
    return found


def loads(
    args: argparse.Namespace, url: str, seed: str, *, seconds: float, fixed: int | None = None, workers: int = 1
) -> list[Load]:
    name = f"fixed {fixed}" if fixed else f"adaptive, {workers} worker{'s' if workers > 1 else ''}"
    return [
        Load(url, name, fixed, args.concurrency, seconds, args.tokens, seed=f"{name} {seed} {n}")
        for n in range(workers)
    ]


def middle(same: list[Round]) -> Round:
    return Round(
        same[0].name,
        statistics.median(each.tokens_per_s for each in same),
        statistics.median(each.p50_s for each in same),
        statistics.median(each.p95_s for each in same),
        same[-1].limits,
    )


def show(each: Round) -> None:
    seen = f"{each.tokens_per_s:8.0f} tokens/s  p50 {each.p50_s:6.2f} s  p95 {each.p95_s:6.2f} s"
    print(f"{each.name:24} {seen}  {each.limits}", flush=True)


def best_and_knee(swept: list[Round]) -> tuple[Round, Round]:
    """The fixed limit with the most tokens, and the smallest limit that fills the server."""
    best = max(swept, key=lambda each: each.tokens_per_s)
    return best, next(each for each in swept if each.tokens_per_s >= KNEE * best.tokens_per_s)


def verdict(compared: list[list[Round]], best: str, knee: str) -> list[str]:
    """A comparison of the adaptive rounds with the fixed rounds of the same turn."""
    by_name = [{each.name: each for each in turn} for turn in compared]
    return [
        f"{name}: {_ratio(by_name, name, best, 'tokens_per_s')} of the tokens of {best}, the best fixed limit; "
        f"{_ratio(by_name, name, knee, 'p50_s')} times the median latency at the knee ({knee})"
        for name in by_name[0]
        if by_name[0][name].adaptive
    ]


def _ratio(turns_by_name: list[dict[str, Round]], name: str, other: str, what: str) -> str:
    each = sorted(getattr(turn[name], what) / getattr(turn[other], what) for turn in turns_by_name)
    return f"{statistics.median(each):.3f} ({each[0]:.3f} to {each[-1]:.3f})"


def write(swept: list[Round], compared: list[list[Round]], lines: list[str]) -> None:
    medians = [middle(list(same)) for same in zip(*compared, strict=True)]
    table = [
        "| limit | tokens/s | p50, s | p95, s | limits at the end |",
        "|---|---|---|---|---|",
        *map(_row, swept),
        "| **in turns** | | | | |",
        *map(_row, medians),
        "",
        *(f"- {line}" for line in lines),
    ]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text("\n".join([before + BEGIN, *table, END]) + rest.partition(END)[2])
    plot(swept, medians)


def _row(each: Round) -> str:
    limits = ", ".join(map(str, each.limits))
    return f"| {each.name} | {each.tokens_per_s:.0f} | {each.p50_s:.2f} | {each.p95_s:.2f} | {limits} |"


def plot(swept: list[Round], compared: list[Round]) -> None:
    import pygal  # noqa: PLC0415 - only for the page
    from pygal.style import CleanStyle  # noqa: PLC0415

    chart = pygal.XY(
        style=CleanStyle,
        x_title="median latency, s",
        y_title="output tokens a second",
        include_x_axis=True,
        width=900,
        height=500,
        legend_at_bottom=True,
        js=[],
    )
    chart.add("fixed limits, swept", [_point(each) for each in swept])
    for each in compared:
        chart.add(f"{each.name}, in turns", [_point(each)], stroke=False, dots_size=7)
    chart.render_to_file(str(PLOT))


def _point(each: Round) -> dict[str, object]:
    return {"value": (each.p50_s, each.tokens_per_s), "label": each.name}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="default: a vLLM on the CPU, started here")
    parser.add_argument("--slots", type=int, default=16, help="--max-num-seqs of that vLLM")
    parser.add_argument("--fixed", default="1,2,4,8,12,16,24,32,64")
    parser.add_argument("--workers", default="1,3", help="processes with the adaptive limit, comma-separated")
    parser.add_argument("--concurrency", type=int, default=64, help="most calls in flight of a process")
    parser.add_argument("--seconds", type=float, default=10, help="length of a round of the sweep")
    parser.add_argument("--cold-seconds", type=float, default=30, help="length of a round of the turns")
    parser.add_argument("--passes", type=int, default=3, help="number of passes of the sweep")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--write", action="store_true", help="write the results into docs/concurrency.md")
    args = parser.parse_args()
    with server(args.url, slots=args.slots) as url, clients(max(map(int, args.workers.split(",")))) as pool:
        measure([Load(url, "warm-up", 8, args.concurrency, 5, args.tokens, seed="warm")], pool)
        swept = sweep(args, url, pool)
        best, knee = best_and_knee(swept)
        compared = turns(args, url, pool, {best.limits[0], knee.limits[0]})
    print("medians of the sweep")
    for each in swept:
        show(each)
    lines = verdict(compared, best.name, knee.name)
    print(*lines, sep="\n")
    if args.write:
        write(swept, compared, lines)


if __name__ == "__main__":
    main()
