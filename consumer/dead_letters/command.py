"""Dead letters: `list` shows what could not be processed and why; `replay` publishes chunks of them again.

A producer reads its rejected files again, at once or when it runs next. A replay is a dry run unless you give --yes.
Each letter is replayed once; a chunk or file that fails again gets a new letter.
"""

import argparse
import asyncio
from contextlib import aclosing

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from configs import cli
from configs.cli import printable
from configs.sections import KafkaSettings
from consumer.dead_letters.letters import FiledLetter, LetterFilter, parse_since, read_letters
from consumer.dead_letters.replay import ReplayTally, replay
from schemas.messages import now
from telemetry.logs import configure_logs

SHOWN = 500
"""Rows that the table shows at most, because it is kept in memory to fit its columns."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "replay"))
    parser.add_argument("--reason", metavar="GLOB", help="error class, such as malformed, or a glob")
    parser.add_argument(
        "--since", metavar="TIME", help="only letters created since then: 2026-11-22T14:00 (UTC), or 15m, 2h, 3d"
    )
    parser.add_argument("--document", metavar="GLOB", help="path of the document")
    parser.add_argument("--json", action="store_true", help="list: one JSON object a line, without the original bytes")
    parser.add_argument("--all", action="store_true", help="list: also letters that were replayed")
    parser.add_argument("--yes", action="store_true", help="replay: publish; without it nothing is changed")
    cli.add_settings(parser, *cli.REACH)


def main(args: argparse.Namespace) -> int:
    settings = cli.settings_from(args)
    configure_logs(settings.telemetry, process="dead-letters")
    since = parse_since(args.since, now()) if args.since else None
    wanted = LetterFilter(reason=args.reason, since=since, document=args.document)
    if args.action == "replay":
        tally = asyncio.run(replay(settings.kafka, wanted, dry_run=not args.yes))
        print(*_report(tally, dry_run=not args.yes), sep="\n")
        return cli.DEAD_LETTERS if tally.impossible else 0
    asyncio.run(_list(settings.kafka, wanted, show_all=args.all, as_json=args.json))
    return 0


async def _list(kafka: KafkaSettings, wanted: LetterFilter, *, show_all: bool, as_json: bool) -> None:
    table = Table("created", "error", "document", "chunk", "attempt", "replayed", "reason", box=None)
    count = 0
    async with aclosing(read_letters(kafka, wanted)) as letters:
        async for filed in letters:
            if filed.replayed and not show_all:
                continue
            count += 1
            if as_json:
                print(orjson.dumps(_as_json(filed)).decode())
            elif count <= SHOWN:
                table.add_row(*(escape(printable(cell)) for cell in _cells(filed)))
    if not as_json:
        console = Console()
        if count:
            console.print(table)
        more = f"; the first {SHOWN:,} are shown, --json has all" if count > SHOWN else ""
        console.print(f"{count:,} dead letters{more}")


def _as_json(filed: FiledLetter) -> dict[str, object]:
    letter = filed.letter.model_dump(mode="json", by_alias=True, exclude={"original": {"base64"}})
    return letter | {"replayed": filed.replayed}


def _cells(filed: FiledLetter) -> tuple[str, ...]:
    letter = filed.letter
    return (
        f"{letter.created_at:%Y-%m-%d %H:%M:%S}",
        letter.error_class,
        letter.document.path if letter.document else "",
        letter.chunk_id or "",
        str(letter.attempt),
        "yes" if filed.replayed else "no",
        letter.reason,
    )


def _report(tally: ReplayTally, *, dry_run: bool) -> list[str]:
    verb = "would be replayed (--yes does it)" if dry_run else "replayed"
    lines = [f"{tally.replayed.total():,} dead letters {verb}"]
    lines += [f"  {count:,} {name}" for name, count in sorted(tally.replayed.items())]
    if tally.impossible:
        lines.append(f"{tally.impossible.total():,} can't be replayed")
        lines += [f"  {count:,} {why}" for why, count in sorted(tally.impossible.items())]
    return lines
