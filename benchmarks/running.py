"""The command line of a file of benchmarks, which runs some or all of them, each with its own broker and directory."""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from configs.settings import Settings, load_settings
from server.broker.node import Broker

Benchmark = Callable[[Settings, Path, float], None]
"""A benchmark. It gets settings that name the broker, a directory that is removed at the end, and the scale."""


def run_benchmarks(benchmarks: Mapping[str, Benchmark], *, description: str | None, scaled: str) -> None:
    """Run the benchmarks that the command line names. `scaled` says in the help what `--scale` multiplies."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*benchmarks, []], help="default: all")
    parser.add_argument("--scale", type=float, default=1.0, help=f"factor for {scaled}")
    args = parser.parse_args()
    for name in args.names or benchmarks:
        with tempfile.TemporaryDirectory(prefix="qastream-bench-") as folder:
            base = Path(folder)
            with Broker(data_dir=base / "broker") as broker:
                values = {"bootstrap_servers": broker.bootstrap_servers, "namespace": "bench"}
                benchmarks[name](load_settings(values, environ={}), base, args.scale)
