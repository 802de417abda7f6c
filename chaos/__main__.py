"""Runs faults by the hour: `python -m chaos --minutes 60 --chunks 200000 --brokers 3`, or `--ends --minutes 60`.

It prints the seed and the history; `--seed` repeats a run. The exit code is 1 when anything was lost or doubled, or a
fault did not take place.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from chaos.cluster import running_cluster
from chaos.conduct import conduct
from chaos.ends import KINDS, SHARED, Program, run_ends
from chaos.ends import Report as EndsReport
from chaos.plan import DAILY, deck_for
from chaos.run import Options, Report, options_of
from configs.settings import load_settings
from server.broker.node import Broker
from server.ports import free_port

PAUSE_SHARE = 0.6
"""Share of the time between two faults that is a pause. The rest is for the fault and for the workers to recover."""


async def run_daily(directory: Path) -> Report:
    async with running_cluster(directory / "kafka", nodes=1) as cluster:
        return await conduct(cluster, directory, options_of(DAILY), DAILY.deck, every_s=DAILY.every_s)


async def run(args: argparse.Namespace, directory: Path) -> Report:
    planted = max(4, args.chunks // 500)
    options = Options(chunks=args.chunks, seed=args.seed, planted=planted, workers=args.workers, recipe=args.recipe)
    deck = deck_for(args.minutes, args.every)
    async with running_cluster(directory / "kafka", nodes=args.brokers) as cluster:
        return await conduct(cluster, directory, options, deck, every_s=args.every * PAUSE_SHARE)


def run_at_the_ends(args: argparse.Namespace, directory: Path) -> EndsReport:
    """Strikes producer and sink with all kinds of faults in turn, for about the time given."""
    faults = max(len(KINDS), round(args.minutes * 60 / args.every))
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port("127.0.0.1")
    model = Program(directory / "model.log", "server", "embedded", "--port", port)
    with Broker(data_dir=directory / "kafka") as broker, ExitStack() as stack:
        model.start()
        stack.callback(model.stop)
        flags = {"bootstrap_servers": broker.bootstrap_servers, "namespace": "ends", "partitions": 3}
        deck = [KINDS[number % len(KINDS)] for number in range(faults)]
        shares = SHARED if args.shared else ("all",)
        url = f"http://127.0.0.1:{port}/v1"
        return run_ends(load_settings(flags), directory, url, seed=args.seed, deck=deck, shares=shares)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--daily", action="store_true", help="the run of five minutes that every change has to pass")
    parser.add_argument("--minutes", type=float, default=60, help="about how long the faults go on (default 60)")
    parser.add_argument("--chunks", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=4, help="number of workers that are kept alive (default 4)")
    parser.add_argument(
        "--recipe", default="fast", help="recipe of the workers (default fast); the daily run always takes fast"
    )
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument(
        "--every", type=float, default=6.0, help="about how many seconds from one fault to the next (default 6)"
    )
    parser.add_argument("--seed", type=int, default=None, help="seed of an earlier run, whose faults are repeated")
    parser.add_argument("--ends", action="store_true", help="faults at producer and sink instead of at the workers")
    parser.add_argument("--shared", action="store_true", help="with --ends: two sinks share the partitions")
    parser.add_argument("--keep", type=Path, help="directory for logs and data (default: a temporary one)")
    args = parser.parse_args(argv)
    args.seed = random.SystemRandom().randrange(10**6) if args.seed is None else args.seed
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if not args.daily:
        print(f"seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="qastream-chaos-", ignore_cleanup_errors=True) as temporary:
        directory = args.keep or Path(temporary)
        report = (
            run_at_the_ends(args, directory)
            if args.ends
            else asyncio.run(run_daily(directory) if args.daily else run(args, directory))
        )
    print(report)
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
