"""Measures how a saturating batch slows an online user of the same vLLM, who sends one short request at a time.

    python benchmarks/neighbour.py [--share 1,0.5,0.25] [--seconds 30] [--url http://gpu-1:8000/v1]

Without --url it starts a vLLM on the CPU twice, as benchmarks/concurrency.py does: with its defaults, and with
`--scheduling-policy priority`, where the batch sends a priority. --write puts the table into docs/concurrency.md.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import aiohttp
from concurrency import LEAD_S, PAGE, WORDS, Done, Load, clients, counted, quantile, request, server, work

BEGIN, END = "<!-- neighbour: made by `python benchmarks/neighbour.py --write` -->", "<!-- /neighbour -->"
BATCH_FIRST_S = 10.0
"""Seconds that the batch begins earlier, since its cold start is not what the user meets every day."""
ONLINE_TOKENS = 64
PAUSE_S = 0.05
PRIORITY = 10


def online(load: Load) -> list[float]:
    """Latencies of a user who asks again after reading the answer. It runs in a process of its own."""
    return asyncio.run(_online(load))


async def _online(load: Load) -> list[float]:
    chance, latencies = random.Random(load.seed), []
    await asyncio.sleep(max(0.0, load.begin_s - time.time()))
    async with aiohttp.ClientSession() as session:
        while time.time() < load.begin_s + load.seconds:
            body = request(" ".join(chance.choice(WORDS) for _ in range(20)), tokens=load.tokens)
            began = time.monotonic()
            async with session.post(f"{load.url}/chat/completions", json=body) as response:
                response.raise_for_status()
                await response.read()
            latencies.append(time.monotonic() - began)
            await asyncio.sleep(PAUSE_S)
    return latencies


@dataclass(frozen=True)
class Row:
    name: str
    p50_s: float
    p95_s: float
    tokens_per_s: float
    limit: int


def rows(url: str, args: argparse.Namespace, pool: ProcessPoolExecutor, *, priority: int | None) -> Iterator[Row]:
    base = Load(url, "", None, args.concurrency, args.seconds, ONLINE_TOKENS)
    batch = replace(base, tokens=args.tokens, priority=priority)
    yield _row("warm-up", base, None, pool)
    yield _row("alone", base, None, pool)
    for share in map(float, args.share.split(",")):
        yield _row(f"batch, share {share:g}", base, replace(batch, share=share), pool)
    yield _row("alone again", base, None, pool)


def _row(name: str, user: Load, batch: Load | None, pool: ProcessPoolExecutor) -> Row:
    begin_s = time.time() + LEAD_S
    lead_s = BATCH_FIRST_S if batch else 0.0
    asking = pool.submit(online, replace(user, seed=name, begin_s=begin_s + lead_s))
    done, made = Done([], [0]), 0.0
    if batch:
        load = replace(batch, seed=name, begin_s=begin_s, seconds=lead_s + batch.seconds)
        working = pool.submit(work, load)
        made, done = counted(load), working.result()
    latencies = sorted(asking.result())
    return Row(name, quantile(latencies, 0.5), quantile(latencies, 0.95), made, done.limits[-1])


def measured(args: argparse.Namespace, *flags: str, priority: int | None) -> list[str]:
    """The lines of the table, measured."""
    lines, alone_s = [], 0.0
    policy = f"priority, batch sends {priority}" if priority else "first come, first served"
    with server(args.url, *flags, slots=args.slots) as url, clients(2) as pool:
        for row in rows(url, args, pool, priority=priority):
            if row.name == "warm-up":
                continue
            alone_s = alone_s or row.p95_s
            lines.append(
                f"| {policy} | {row.name} | {row.p50_s:.3f} | {row.p95_s:.3f} | {row.p95_s / alone_s:.2f} | "
                f"{row.tokens_per_s:.0f} | {row.limit} |"
            )
            print(lines[-1], flush=True)
    return lines


def write(lines: list[str]) -> None:
    head = [
        "| server schedules by | the user | p50, s | p95, s | p95 to alone | tokens/s of both | limit of the batch |",
        "|---|---|---|---|---|---|---|",
    ]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text("\n".join([before + BEGIN, *head, *lines, END]) + rest.partition(END)[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="default: vLLM on the CPU, started here")
    parser.add_argument("--priority", action="store_true", help="the server of --url schedules by priority")
    parser.add_argument("--share", default="1,0.5,0.25")
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--tokens", type=int, default=128, help="length of an answer of the batch")
    parser.add_argument("--write", action="store_true", help="write the table into docs/concurrency.md")
    args = parser.parse_args()
    lines = []
    if not args.priority:
        lines += measured(args, priority=None)
    if args.priority or args.url is None:
        lines += measured(args, "--scheduling-policy", "priority", priority=PRIORITY)
    if args.write:
        write(lines)


if __name__ == "__main__":
    main()
