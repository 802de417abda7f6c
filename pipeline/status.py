"""Files, chunks, answers and dead letters of a namespace: once, or as a live view."""

import argparse
import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing, suppress
from pathlib import Path

import orjson
from aiokafka import ConsumerRecord
from rich.console import Console
from rich.live import Live
from rich.table import Table

from configs import cli
from configs.settings import Settings
from messaging.reading import read_to_end
from pipeline.errors import OutputError
from pipeline.follow import follow
from pipeline.letters import Letter, Letters
from pipeline.progress import Progress
from pipeline.tally import Tally
from schemas import DecodeError, TopicNames, decode

PATIENCE_S = 15.0
REFRESH_S = 0.5
Take = Callable[[ConsumerRecord], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--watch", action="store_true", help="show it until Ctrl-C, and renew it")
    cli.add_settings(parser, "output_dir", *cli.KAFKA)


def main(args: argparse.Namespace) -> int:
    settings = _with_broker_of_the_run(cli.settings_from(args))
    asyncio.run(_watch(settings) if args.watch else _show(settings))
    return 0


def _with_broker_of_the_run(settings: Settings) -> Settings:
    """The address of the broker that a running pipeline started for this output directory."""
    if settings.bootstrap_servers is not None or settings.output_dir is None:
        return settings
    ready: Path = settings.output_dir / ".qastream" / "broker.json"
    try:
        address = orjson.loads(ready.read_bytes())["bootstrap_servers"]
    except FileNotFoundError:
        raise OutputError(
            f"no pipeline with a broker of its own runs on {settings.output_dir}. Start it, or name the broker with "
            "--bootstrap-servers"
        ) from None
    return settings.model_copy(update={"bootstrap_servers": address})


class Board:
    """What the table is made of, and who takes the records of which topic."""

    def __init__(self, settings: Settings) -> None:
        self.progress = Progress()
        self.letters = Letters()
        names = TopicNames(settings.namespace)
        tally = Tally(self.progress, fresh_from={})
        self.topics: dict[str, Take] = {
            names.files: tally.take_entry,
            names.results: tally.take_result,
            names.dead_letters: self._take_letter,
        }

    def _take_letter(self, record: ConsumerRecord) -> None:
        with suppress(DecodeError):  # a record that is no letter needs nobody's attention here
            self.letters.take(decode(Letter, record.value))

    def table(self) -> Table:
        totals = self.progress.totals
        rows = {
            "files": f"{totals.files_done} of {totals.files} done",
            "files rejected": totals.rejected,
            "chunks": totals.chunks,
            "answered": totals.answered,
            "backlog": max(0, totals.chunks - totals.answered),
            "failed": totals.failed,
            "pairs": totals.pairs,
            "dead letters": len(self.letters),
        }
        table = Table("", "", show_header=False)
        for name, value in rows.items():
            table.add_row(name, str(value))
        return table


async def _show(settings: Settings) -> None:
    board = Board(settings)
    for topic, take in board.topics.items():
        async with aclosing(read_to_end(settings, topic, patience_s=PATIENCE_S)) as records:
            async for record in records:
                take(record)
    Console().print(board.table())


async def _watch(settings: Settings) -> None:
    board = Board(settings)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for topic, take in board.topics.items():
            follower = await stack.enter_async_context(follow(settings, topic))
            group.create_task(follower.run(take))
        with Live(board.table()) as live:
            while True:
                live.update(board.table())
                await asyncio.sleep(REFRESH_S)
