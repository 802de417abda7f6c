"""Files, chunks, workers, speed and dead letters of a namespace: once, or as a live view."""

import argparse
import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from pathlib import Path

import orjson
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.live import Live

from configs import cli
from configs.sections import KafkaSettings
from ledger.outcome import OutcomeSummary
from ledger.progress import Progress
from messaging.connection import PATIENCE_S, BrokerUnreachableError, open_consumer
from messaging.follow import Offsets, Take, follow
from messaging.messages import decoded, ignore
from messaging.reading import TopicMissingError, assign_all, read_to_end
from messaging.record import Record
from output.errors import OutputError
from output.running_broker import broker_of_run
from pipeline.progress.feed import ProgressFeed
from pipeline.status.endpoints import Scraped, look_at_endpoints
from pipeline.status.letters import Letter, Letters
from pipeline.status.members import Members, look_at_members
from pipeline.status.rates import WINDOW_S, Window
from pipeline.status.screen import picture, screen
from pipeline.status.snapshot import Snapshot
from schemas import TopicNames

REFRESH_S = 0.5
LOOK_S = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--watch", action="store_true", help="show it until Ctrl-C and keep it up to date")
    parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
    parser.add_argument("--svg", metavar="FILE", type=Path, help="the same as a picture")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="for large topics: read only the last minute of qa.results and leave out counts over all results",
    )
    parser.add_argument(
        "--metrics",
        metavar="URLS",
        default="",
        help="addresses of workers' /metrics, comma-separated: shows the model servers, their limits and queues",
    )
    cli.add_settings(parser, "output_dir", *cli.KAFKA)


def main(args: argparse.Namespace) -> int:
    settings = cli.settings_from(args)
    kafka = _broker(settings.kafka, settings.sink.output_dir)
    addresses = tuple(filter(None, args.metrics.split(",")))
    if args.watch:
        asyncio.run(_watch(kafka, addresses, quick=args.quick))
        return 0
    snapshot = asyncio.run(_look(kafka, addresses, quick=args.quick))
    if args.json:
        print(orjson.dumps(snapshot.as_json(), option=orjson.OPT_INDENT_2).decode())
    elif args.svg:
        picture(snapshot, args.svg)
    else:
        Console().print(screen(snapshot))
    return 0


def _broker(kafka: KafkaSettings, output_dir: Path | None) -> KafkaSettings:
    """Returns the settings of the broker. Raises OutputError if no pipeline runs on the output directory."""
    found = broker_of_run(kafka, output_dir)
    if found.bootstrap_servers is None and output_dir is not None:
        raise OutputError(
            f"no pipeline with a broker of its own runs on {output_dir}. Start it, or name the broker with "
            "--bootstrap-servers"
        )
    return found


class Board:
    """Collects the state for a snapshot. `topics` has the function that takes the records of each topic."""

    def __init__(self, kafka: KafkaSettings, *, quick: bool) -> None:
        self.members: Members | None = None
        self.scraped = Scraped()
        self._quick = quick
        self._progress = Progress()
        self._window = Window()
        self._letters = Letters()
        self._tally = ProgressFeed(self._progress, fresh_from={})
        names = TopicNames(kafka.namespace)
        self.topics: dict[str, Take] = {
            names.files: self._tally.take_entry,
            names.results: self._take_result,
            names.dead_letters: self._take_letter,
        }

    def snapshot(self) -> Snapshot:
        rates = self._window.rates(time.time())
        totals = self._progress.totals
        return Snapshot(totals, len(self._letters), rates, self.members, self.scraped, quick=self._quick)

    def _take_result(self, record: Record) -> None:
        if not self._quick:
            self._tally.take_result(record)
        now_s, time_s = time.time(), record.timestamp_ms / 1000
        if time_s > now_s - WINDOW_S and (outcome := decoded(OutcomeSummary, record, undecodable=ignore)):
            tokens = outcome.usage.completion_tokens
            self._window.add(time_s, pairs=len(outcome.pairs), tokens=tokens, now_s=now_s)

    def _take_letter(self, record: Record) -> None:
        if (letter := decoded(Letter, record, undecodable=ignore)) is not None:
            self._letters.take(letter)


async def _look(kafka: KafkaSettings, addresses: Sequence[str], *, quick: bool) -> Snapshot:
    board = Board(kafka, quick=quick)
    starts = await _starts(kafka, quick=quick)
    for topic, take in board.topics.items():
        start = starts.get(topic)
        async with aclosing(read_to_end(kafka, topic, start=start, patience_s=PATIENCE_S)) as records:
            async for record in records:
                take(record)
    await _ask(board, kafka, addresses)
    return board.snapshot()


async def _watch(kafka: KafkaSettings, addresses: Sequence[str], *, quick: bool) -> None:
    board = Board(kafka, quick=quick)
    starts = await _starts(kafka, quick=quick)
    async with AsyncExitStack() as stack:
        followers = [
            (await stack.enter_async_context(follow(kafka, topic, start=starts.get(topic))), take)
            for topic, take in board.topics.items()
        ]
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for follower, take in followers:
            group.create_task(follower.run(take))
        group.create_task(_keep_asking(board, kafka, addresses))
        with Live(screen(board.snapshot()), auto_refresh=False) as live:
            while True:
                live.update(screen(board.snapshot()), refresh=True)
                await asyncio.sleep(REFRESH_S)


async def _keep_asking(board: Board, kafka: KafkaSettings, addresses: Sequence[str]) -> None:
    while True:
        # The view stays while a broker is away, and shows the last state.
        with suppress(BrokerUnreachableError, TopicMissingError, KafkaError, OSError):
            await _ask(board, kafka, addresses)
        await asyncio.sleep(LOOK_S)


async def _ask(board: Board, kafka: KafkaSettings, addresses: Sequence[str]) -> None:
    board.scraped = await look_at_endpoints(addresses)
    board.members = await look_at_members(kafka, patience_s=PATIENCE_S)


async def _starts(kafka: KafkaSettings, *, quick: bool) -> dict[str, Offsets]:
    """Returns the offsets at which reading begins, for topics that are not read from their beginning."""
    if not quick:
        return {}
    topic = TopicNames(kafka.namespace).results
    async with open_consumer(kafka, patience_s=PATIENCE_S) as consumer:
        partitions = await assign_all(consumer, topic)
        since_ms = int((time.time() - WINDOW_S) * 1000)
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
        ends = await consumer.end_offsets(partitions)
    return {topic: {tp.partition: at.offset if at else ends[tp] for tp, at in found.items()}}
