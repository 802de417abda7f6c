"""Create the topics that are missing, and say what is there."""

import argparse
import asyncio

from configs import cli
from messaging.topics import ensure_topics

PATIENCE_S = 15.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cli.add_settings(parser, *cli.KAFKA)


def main(args: argparse.Namespace) -> int:
    settings = cli.settings_from(args)
    for topic, partitions in asyncio.run(ensure_topics(settings, patience_s=PATIENCE_S)).items():
        print(f"{topic}: {partitions} partitions")
    return 0
