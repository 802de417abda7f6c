"""Writes results to disk: segments of records as they are on the topic, and a file for each complete document.

Runs until it is stopped by Ctrl-C or SIGTERM; then it first writes what it has read. After a crash it goes on where the
files end. results/ is the truth, documents/ and parquet/ are derived from it. One sink writes all partitions of the
results; or several write some each (--only-partitions), into one output directory or into several.
"""

import argparse
import asyncio
import signal

from configs import cli
from configs.settings import Settings
from consumer.sink.reindex import rebuild
from consumer.sink.service import run_sink
from output.formats.registry import chosen_formats
from output.layout import Layout, layout_of
from output.lock import sink_lock
from output.share import Share
from telemetry.logs import configure_logs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rebuild", action="store_true", help="make index and documents again from results/ and the ledger, and end"
    )
    parser.add_argument("--partitions", action=_Renamed, help=argparse.SUPPRESS)
    kafka = (*cli.REACH, "replication_factor")
    cli.add_settings(parser, "output_dir", "only_partitions", *cli.SINK, *kafka, *cli.TELEMETRY)


class _Renamed(argparse.Action):
    """Refuses the flag that `--only-partitions` was called before; elsewhere it is a number of partitions."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        parser.error("--partitions is a number of partitions elsewhere; the sink's own ones are --only-partitions")


def main(args: argparse.Namespace) -> int:
    settings = cli.settings_from(args)
    layout = layout_of(settings.sink.output_dir, Share.parse(settings.sink.only_partitions))
    formats = chosen_formats(settings.sink.formats)  # a missing package is reported before anything starts
    configure_logs(settings.telemetry, process="sink")
    with sink_lock(layout):
        for derived in formats:
            derived.load()
        asyncio.run(_run(settings, layout, rebuilding=args.rebuild))
    return 0


async def _run(settings: Settings, layout: Layout, *, rebuilding: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if rebuilding:
        await rebuild(settings, layout, stop)
    else:
        await run_sink(settings, layout, stop)
