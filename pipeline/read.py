"""Print the result records of the topic, one JSON a line."""

import argparse
import asyncio
import sys
from contextlib import aclosing

from configs import cli
from configs.sections import KafkaSettings
from messaging.connection import PATIENCE_S
from messaging.reading import read_to_end
from schemas import TopicNames


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cli.add_settings(parser, *cli.KAFKA)


def main(args: argparse.Namespace) -> int:
    asyncio.run(print_results(cli.settings_from(args).kafka))
    return 0


async def print_results(kafka: KafkaSettings) -> None:
    """Writes the values of all results that are committed now to stdout, one a line."""
    topic = TopicNames(kafka.namespace).results
    async with aclosing(read_to_end(kafka, topic, patience_s=PATIENCE_S)) as records:
        async for record in records:
            sys.stdout.buffer.write((record.value or b"") + b"\n")
    sys.stdout.buffer.flush()
