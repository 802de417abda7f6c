"""Balances ledger, topics and disk: does every chunk have exactly one outcome, and does the disk have all of them?

Exit code 0: everything balances; 1: something differs, and the output says what; 3: everything balances, but dead
letters wait for a replay. Run it when the pipeline is at rest: work in progress counts as missing.
"""

import argparse
import asyncio

import orjson
from rich.console import Console

from configs import cli
from configs.errors import SettingsError
from consumer.dataset.verify.balance import show
from consumer.dataset.verify.verification import verify
from output.layout import layout_of
from output.running_broker import broker_of_run
from telemetry.logs import configure_logs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    cli.add_settings(parser, "output_dir", "input_dir", "source", "formats", *cli.REACH)


def main(args: argparse.Namespace) -> int:
    settings = cli.settings_from(args)
    layout, input_dir = layout_of(settings.sink.output_dir), settings.producer.input_dir
    if input_dir is not None and not input_dir.is_dir():
        raise SettingsError(f"--input-dir {input_dir}: no such directory")
    configure_logs(settings.telemetry, process="verify")
    kafka = broker_of_run(settings.kafka, layout.root)
    balance = asyncio.run(verify(kafka, settings.producer, layout, settings.sink.formats))
    if args.json:
        print(orjson.dumps(balance.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        show(balance, Console())
    if not balance.balanced:
        return 1
    return cli.DEAD_LETTERS if balance.dead_letters else 0
