"""`python -m pipeline`: the whole pipeline on one machine, or one of its commands."""

import argparse
import asyncio
import os
import sys
from importlib import import_module

from configs import cli
from configs.errors import SettingsError
from configs.recipe import load_recipe
from messaging.stopping import StoppedError
from output.errors import OutputError
from output.lock import pipeline_lock
from pipeline.progress.summary import counts, summary
from pipeline.progress.view import make_view
from pipeline.run.inputs import check_input
from pipeline.run.lifecycle import Run
from pipeline.run.plan import RunPlan, make_plan
from pipeline.run.report import write_report
from pipeline.run.undone import FAILED
from telemetry.logs import configure_logs

COMMANDS = {"topics": "pipeline.topics", "status": "pipeline.status.command", "read": "pipeline.read"}


def main(argv: list[str]) -> int:
    if argv and argv[0] in COMMANDS:
        command = import_module(COMMANDS[argv[0]])
        parser = argparse.ArgumentParser(prog=f"python -m pipeline {argv[0]}", description=command.__doc__)
        command.add_arguments(parser)
        return int(command.main(parser.parse_args(argv[1:])))
    return run_pipeline(_parser().parse_args(argv))


def _parser() -> argparse.ArgumentParser:
    others = "\n".join(
        f"  {name:10}{(import_module(path).__doc__ or '').splitlines()[0]}" for name, path in COMMANDS.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m pipeline",
        description="Texts of a directory to question-answer records on disk and on a topic. Starts a Kafka broker "
        "and the embedded model server where none is configured.",
        epilog=f"other commands, each with --help:\n{others}\n\n"
        "Exit codes: 0 done; 1 failed, or with --once a file could not be read (the rest is done, and the last lines\n"
        "name it); 2 wrong usage; 3 done, but something is in the dead letters.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="end when all that was there is done")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="worker processes (default 1)")
    cli.add_settings(
        parser, "input_dir", "output_dir", *cli.KAFKA, *cli.MODEL, *cli.WORKER, *cli.PRODUCER, *cli.SINK, *cli.TELEMETRY
    )
    return parser


def run_pipeline(args: argparse.Namespace) -> int:
    settings = cli.settings_from(args)
    load_recipe(settings.worker.recipe)  # only workers use it, but a wrong one should not stop the run minutes later
    plan = make_plan(settings, workers=args.workers, once=args.once)
    if not plan.input_dir.is_dir():
        raise SettingsError(f"--input-dir {plan.input_dir}: no such directory")
    with pipeline_lock(plan.layout):
        return _run(plan)


def _run(plan: RunPlan) -> int:
    _keep_log(plan)
    check_input(plan)
    run = Run(plan, make_view(sys.stdout), os.environ)
    try:
        asyncio.run(run.execute())
    except StoppedError as exc:
        print(f"Stopped by {exc}: {counts(run.progress.totals)}.")
        print("The results are kept; the same command goes on from here.")
        return 128 + run.stopped.result()
    report = write_report(plan, os.environ)
    print(*summary(plan, run.progress, undone=run.undone, report=report), sep="\n")
    if run.undone:
        return FAILED
    return cli.DEAD_LETTERS if any(run.progress.failures()) else 0


def _keep_log(plan: RunPlan) -> None:
    try:
        plan.logs_dir.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(f"--output-dir {plan.output_dir}: {exc.strerror}. Choose one that can be written") from exc
    log = (plan.logs_dir / "pipeline.log").open("a", encoding="utf-8")  # the terminal belongs to the progress bar
    configure_logs(plan.settings.telemetry.replaced(log_format="human"), process="pipeline", stream=log)


if __name__ == "__main__":
    cli.run(lambda: main(sys.argv[1:]))
