"""Restores the group's offsets from the results, when they are lost or strange and workers refuse to start.

Every result says which chunk it came from. A chunk that has a result is done; all others are to do. Stop all workers
first. This is a dry run unless you give --yes; then it commits offsets, and changes nothing else.
"""

import argparse
import asyncio

from rich.console import Console
from rich.table import Table

from configs import cli
from consumer.rebuild.points import Rebuilt
from consumer.rebuild.restore import look, restore
from messaging.committed import CommitPoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="commit the offsets")
    cli.add_settings(parser, *cli.REACH)


def main(args: argparse.Namespace) -> int:
    kafka = cli.settings_from(args).kafka
    found = asyncio.run(restore(kafka) if args.yes else look(kafka))
    Console(soft_wrap=True, highlight=False).print(_table(found))
    print(_summary(found, done=args.yes))
    return 0


def _table(found: list[Rebuilt]) -> Table:
    table = Table("partition", "committed", "rebuilt", "done", "to do", "is", "would double", "would lose", box=None)
    for each in found:
        points = (each.partition.number, _show(each.partition.committed), _show(each.point))
        counts = (each.done, each.left, each.state.value, each.doubled or "", each.lost or "")
        table.add_row(*map(str, points + counts))
    return table


def _show(point: CommitPoint | None) -> str:
    """Show the offset, with a plus where the metadata lists unfinished records above it."""
    return "" if point is None else f"{point.offset}{'+' if len(point.metadata) > len('1;0;') else ''}"


def _summary(found: list[Rebuilt], *, done: bool) -> str:
    needed = sum(each.needed for each in found)
    if not needed:
        return "All committed offsets agree with the results; there is nothing to restore."
    if done:
        return f"{needed} of {len(found)} partitions restored. Workers may be started."
    return (
        f"{needed} of {len(found)} partitions are to be restored. Stop all workers and repeat this with --yes to do it."
    )
