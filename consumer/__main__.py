"""`python -m consumer`: a worker of the consumer group, or one of the commands for its results."""

import argparse
import sys
from importlib import import_module

from configs import cli

COMMANDS = {
    "sink": ("consumer.sink.command", "writes results to disk"),
    "export": ("consumer.dataset.export.command", "training formats from what the sink wrote"),
    "report": ("consumer.dataset.report.command", "one HTML page about the data, and its numbers as JSON"),
    "verify": ("consumer.dataset.verify.command", "balance sheet of ledger, topics and disk"),
    "dead-letters": ("consumer.dead_letters.command", "look at and re-publish dead letters"),
    "rebuild-offsets": ("consumer.rebuild.command", "restores lost group offsets from the results"),
}
WORKER = "consumer.worker.command"


def main(argv: list[str]) -> int:
    named = bool(argv) and argv[0] in COMMANDS
    command = import_module(COMMANDS[argv[0]][0] if named else WORKER)
    others = "\n".join(f"  {name:16}{summary}" for name, (_, summary) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog=f"python -m consumer {argv[0]}" if named else "python -m consumer",
        description=command.__doc__,
        epilog=None if named else f"other commands, each with --help:\n{others}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    return int(command.main(parser.parse_args(argv[1:] if named else argv)))


if __name__ == "__main__":
    cli.run(lambda: main(sys.argv[1:]))
