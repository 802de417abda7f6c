"""Create the topics that are missing, and say what is there."""

import argparse
import asyncio

from configs import cli
from messaging.connection import PATIENCE_S
from messaging.topics import ensure_topics


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cli.add_settings(parser, *cli.KAFKA)


def main(args: argparse.Namespace) -> int:
    kafka = cli.settings_from(args).kafka
    for topic, partitions in asyncio.run(ensure_topics(kafka, patience_s=PATIENCE_S)).items():
        print(f"{topic}: {partitions} partitions")
    return 0
