"""`python -m producer`: watches a directory and publishes its files as chunks; or one of the commands beside it."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from configs import cli
from configs.settings import Settings
from producer import command, repair
from producer.alarm import Alarm
from producer.app import run
from producer.errors import ProducerError
from producer.watcher import PublishingTally
from telemetry.logs import configure_logs

log = logging.getLogger("producer")


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m producer",
        description="Watches a directory and publishes each file once, as chunks on Kafka. Ends on SIGTERM and Ctrl-C.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="other commands, each with --help:\n"
        + "".join(f"  {name:12}{summary}\n" for name, summary in (command.SUMMARIES | repair.SUMMARY).items())
        + "\nExit codes: 0 done; 1 failed, or with --once a file could not be read; 2 wrong usage;\n"
        "3 with --once: done, but files were rejected (see the dead letters).",
    )
    parser.add_argument("--once", action="store_true", help="publish what is there, and end")
    undone = "JSON file, written at the end with --once: the reason for each path that could not be read"
    parser.add_argument("--undone-file", type=Path, metavar="F", help=undone)
    cli.add_settings(parser, "input_dir", "output_dir", *cli.KAFKA, *cli.PRODUCER, *cli.TELEMETRY)
    return parser


def main(argv: Sequence[str]) -> int:
    for action in command.SUMMARIES:
        if argv and argv[0] == action:
            return command.main(action, list(argv[1:]))
    if argv and argv[0] == "repair":
        return repair.main(list(argv[1:]))
    args = make_parser().parse_args(argv)
    settings = cli.settings_from(args)
    configure_logs(settings.telemetry, process="producer")
    return asyncio.run(_main(settings, once=args.once, undone_file=args.undone_file))


async def _main(settings: Settings, *, once: bool, undone_file: Path | None) -> int:
    alarm = Alarm()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, alarm.stop)
    tally = await run(settings, alarm, once=once)
    if not once or alarm.stopping:
        return 0
    if undone_file:
        _write(undone_file, tally.troubled)
    return _report(tally)


def _write(path: Path, undone: dict[str, str]) -> None:
    try:
        path.write_bytes(orjson.dumps(undone))
    except OSError as exc:
        raise ProducerError(f"--undone-file {path}: {exc.strerror}. Everything else is done") from exc


def _report(tally: PublishingTally) -> int:
    """Logs one line on the run, and returns the exit code."""
    log.info(
        "%d files: %d published, %d unchanged, %d rejected, %d not read; %d chunks",
        *(tally.files, tally.published, tally.unchanged, tally.rejected, len(tally.troubled), tally.chunks),
    )
    for path, why in sorted(tally.troubled.items()):
        log.error("not published: %s: %s", path, why)
    if tally.troubled:
        return 1
    return cli.DEAD_LETTERS if tally.rejected else 0


if __name__ == "__main__":
    cli.run(lambda: main(sys.argv[1:]))
