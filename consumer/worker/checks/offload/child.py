"""A process that checks pairs for a worker: one request a line on its standard input, one reply a line on its output.

It ends with its input, so it never outlives the worker by more than one chunk.
"""

import signal
import sys
import traceback
from dataclasses import dataclass

from pydantic import TypeAdapter

from configs.recipe_parts import Checks
from consumer.worker.checks.checking import Checked, check_pairs
from consumer.worker.checks.pair import AnsweredPair


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """The pairs of one chunk, and all that they are checked against."""

    answered: tuple[AnsweredPair, ...]
    text: str
    start: int
    headings: tuple[str, ...]
    checks: Checks


@dataclass(frozen=True, slots=True)
class CheckReply:
    """The checked pairs in their order. `problem` is the traceback if a check has raised an exception instead."""

    checked: tuple[Checked, ...] = ()
    problem: str = ""


READY = b"ready\n"
"""The line that a process writes first."""
REQUEST = TypeAdapter(CheckRequest)
REPLY = TypeAdapter(CheckReply)


def main(most_cpu_s: float) -> None:
    """Serves until the input ends. Pairs that need more CPU time than `most_cpu_s` end the process by SIGPROF."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a worker that drains still needs its checks
        signal.signal(number, signal.SIG_IGN)
    _write(READY)
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, most_cpu_s)  # ends even a regular expression that never would
        reply = _reply(REQUEST.validate_json(line))
        signal.setitimer(signal.ITIMER_PROF, 0)
        _write(REPLY.dump_json(reply) + b"\n")


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _reply(asked: CheckRequest) -> CheckReply:
    try:
        checked = check_pairs(
            asked.answered, text=asked.text, start=asked.start, headings=asked.headings, checks=asked.checks
        )
    except Exception:  # noqa: BLE001 - one chunk that meets a bug of ours must not stop all others
        return CheckReply(problem=traceback.format_exc())
    return CheckReply(checked)


if __name__ == "__main__":
    main(float(sys.argv[1]))
