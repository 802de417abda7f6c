"""`regenerate`, `forget` and `retry`: requests of a user for documents that are published.

The running producer of the directory takes the request up. Where none does within --wait-s seconds, the command does it
itself; regenerate and retry read files, so they need --input-dir for that, or wait for the next producer.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace

from configs import cli
from configs.settings import Settings
from ledger.transitions import ActionName
from messaging.roles import Role
from messaging.topics import ensure_topics
from producer.alarm import Alarm
from producer.app import make_parts, run
from producer.errors import ProducerError
from producer.publishing.asking import RequestPlan, make_plan, not_taken_up, send, take_up
from schemas import Request
from schemas.paths import source_name
from telemetry.logs import configure_logs
from telemetry.metrics import ProducerMetrics
from telemetry.telemetry import unseen

SUMMARIES: dict[ActionName, str] = {
    "regenerate": "answers documents again, with today's recipe and model",
    "forget": "drops documents: the sink removes their files; a changed file is published anew",
    "retry": "reads rejected files again",
}
WAIT_S = 20.0
SHOWN = 20


def make_parser(action: ActionName) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m producer {action}",
        description=f"{action}: {SUMMARIES[action]}. {(__doc__ or '').partition(chr(10) * 2)[2]}",
    )
    several = 'paths of documents; "*" matches "/" too; may be repeated'
    parser.add_argument("--match", metavar="GLOB", action="append", required=True, help=several)
    if action == "regenerate":
        parser.add_argument("--fresh", action="store_true", help="new samples instead of cached answers")
    parser.add_argument("--dry-run", action="store_true", help="show the documents and do nothing")
    parser.add_argument(
        "--wait-s", type=float, default=WAIT_S, metavar="SECONDS", help="time for a running producer (default 20)"
    )
    cli.add_settings(parser, "input_dir", *cli.KAFKA, *cli.PRODUCER, *cli.LOGS)
    return parser


def main(action: ActionName, argv: list[str]) -> int:
    args = make_parser(action).parse_args(argv)
    settings = cli.settings_from(args)
    settings = replace(settings, telemetry=settings.telemetry.replaced(metrics_port=0))  # the port is the watcher's
    configure_logs(settings.telemetry, process="producer")
    if settings.producer.input_dir:  # wrong settings are reported before anything is done
        make_parts(settings, Alarm(), unseen(ProducerMetrics), once=True, only=frozenset())
    return asyncio.run(_main(settings, action, args))


async def _main(settings: Settings, action: ActionName, args: argparse.Namespace) -> int:
    kafka, input_dir = settings.kafka, settings.producer.input_dir
    source = settings.producer.source or (source_name(input_dir) if input_dir else "")
    plan = await make_plan(kafka, action, args.match, source, fresh=getattr(args, "fresh", False))
    print(*_described(plan, action, dry_run=args.dry_run), sep="\n", flush=True)
    if args.dry_run or not plan.requests:
        return 0
    await ensure_topics(kafka, role=Role.PRODUCER)
    await send(kafka, plan.requests)
    left = await not_taken_up(
        kafka, [request for request in plan.requests if request.request_id not in plan.under_way], args.wait_s
    )
    if not left:
        print("taken up by the running producer")
        return 0
    if input_dir and action != "forget":
        return await _publish(settings, left)
    for name in sorted({request.document.source for request in left}):
        await take_up(kafka, name)
        then = "done" if action == "forget" else "its next one reads the files; give --input-dir to do it at once"
        print(f"no producer of source {name} answered: {then}")
    return 0


async def _publish(settings: Settings, left: Sequence[Request]) -> int:
    """Publishes here, in place of the producer of --input-dir."""
    paths = frozenset(request.document.path for request in left)
    tally = await run(settings, Alarm(), once=True, only=paths)
    print(
        f"no producer of source {left[0].document.source} answered: "
        f"{tally.published} documents, {tally.chunks} chunks published here, {tally.rejected} files rejected"
    )
    if tally.troubled:
        raise ProducerError("; ".join(f"{path}: {why}" for path, why in sorted(tally.troubled.items())))
    return cli.DEAD_LETTERS if tally.rejected else 0


def _described(plan: RequestPlan, action: ActionName, *, dry_run: bool) -> list[str]:
    would = "would " if dry_run else ""
    lines = [f"{would}{action}: {len(plan.requests)} documents, {plan.chunks} chunks"]
    lines += [f"  {request.document.source}: {request.document.path}" for request in plan.requests[:SHOWN]]
    if len(plan.requests) > SHOWN:
        lines.append(f"  and {len(plan.requests) - SHOWN} more")
    if plan.under_way:
        lines.append(f"{len(plan.under_way)} of them are being published: it waits for their end")
    lines += [f"left out: {count} documents that are {state}" for state, count in sorted(plan.left_out.items())]
    return lines
