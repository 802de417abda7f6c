"""Runs a worker, which answers chunks with the model server. Start as many workers as you like, on any machine.

Results, dead letters and offsets are one transaction, so each chunk has one outcome, whatever is killed. To stop a
worker, use Ctrl-C or SIGTERM: it finishes the calls under way within --drain-s and leaves the group. Once it has said
that it is up, SIGUSR1 pauses it and SIGUSR2 resumes it; it stays in the group.
"""

import argparse
import asyncio

from configs import cli
from configs.recipe import load_recipe
from consumer.worker.app import run_worker
from telemetry.logs import configure_logs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cli.add_settings(parser, *cli.WORKER, *cli.MODEL, *cli.KAFKA, *cli.TELEMETRY)


def main(args: argparse.Namespace) -> int:
    settings = cli.settings_from(args)
    recipe = load_recipe(settings.worker.recipe)
    configure_logs(settings.telemetry, process="worker")
    asyncio.run(run_worker(settings, recipe))
    return 0
