"""Trials of a worker and its model servers under faults: real processes, a real Kafka broker.

    python -m benchmarks.driving [--scale 0.1] [outage] [killed-replica] [slower-replica] [poison] [frozen]
        [hung-engine] [classes] [redis]

A trial prints its observations; the exit code is 1 when one of them breaks a promise. `classes` writes its table
between the marks in docs/model-server.md. `redis` needs redis-server. At full scale all trials take some 20 minutes.
"""

import argparse
import asyncio
import logging
import tempfile
import time
from pathlib import Path

from benchmarks.driving.classes import classes
from benchmarks.driving.trials import TRIALS, Trial
from server.broker.node import Broker

ALL = {**TRIALS, "classes": classes}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.driving", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*ALL, []], help="default: all")
    parser.add_argument("--scale", type=float, default=1.0, help="factor for numbers of chunks and lengths of faults")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs and request logs there")
    args = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the client warns of each retry while topics are created
    with tempfile.TemporaryDirectory(prefix="qastream-driving-") as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with Broker(data_dir=folder / "broker") as broker:
            trial = Trial(broker.bootstrap_servers, folder, args.scale)
            for name in args.names or ALL:
                began = time.monotonic()
                print(name, flush=True)
                asyncio.run(ALL[name](trial))
                print(f"  {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
