"""Places where a test may kill, stop or hold this process; without the environment variable they do nothing.

    FAILPOINTS="worker.flush.sent=kill@3,cache.written=stop" FAILPOINTS_LOG=fired.log python -m consumer

`kill` is SIGKILL and `stop` SIGSTOP, both to the process itself; `hold:2.5` blocks it for that many seconds; `@3` means
at the third time (default: the first). What fired is written to the log before it is done, one JSON line each.
"""

import functools
import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from configs.errors import SettingsError

ENVIRONMENT = "FAILPOINTS"
LOG_ENVIRONMENT = "FAILPOINTS_LOG"
_ARMED = re.compile(r"(?P<name>[\w.]+)=(?P<action>kill|stop|hold:(?P<seconds>\d+(\.\d+)?))(@(?P<at>[1-9]\d*))?")


def hit(name: str) -> None:
    """The process has come to the step `name`."""
    armed = _from_environment()
    if armed is not None:
        armed.hit(name)


@dataclass(frozen=True, slots=True)
class Failpoint:
    """`seconds` is for `hold`; `at` counts from 1."""

    name: str
    action: str
    seconds: float = 0.0
    at: int = 1


class Failpoints:
    """Those armed in this process. `act` carries an action out; `log` is a path, or empty."""

    def __init__(self, points: list[Failpoint], *, log: str, act: Callable[[Failpoint], None]) -> None:
        self._points = points
        self._log = log
        self._act = act
        self._hits: Counter[str] = Counter()

    def hit(self, name: str) -> None:
        self._hits[name] += 1
        for point in self._points:
            if point.name == name and point.at == self._hits[name]:
                self._record(point)
                self._act(point)

    def _record(self, point: Failpoint) -> None:
        """In one write, so that processes may share a log."""
        if not self._log:
            return
        line = {"name": point.name, "action": point.action, "at": point.at, "pid": os.getpid(), "time_s": time.time()}
        file = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)


def parse(text: str) -> list[Failpoint]:
    """Raises SettingsError."""
    points = []
    for part in filter(None, text.split(",")):
        match = _ARMED.fullmatch(part)
        if match is None:
            raise SettingsError(f"{ENVIRONMENT}: {part!r} is not NAME=kill|stop|hold:SECONDS[@TIMES]")
        action = match["action"].partition(":")[0]
        points.append(Failpoint(match["name"], action, float(match["seconds"] or 0), int(match["at"] or 1)))
    return points


def from_environment(environ: Mapping[str, str]) -> Failpoints | None:
    text = environ.get(ENVIRONMENT)
    return Failpoints(parse(text), log=environ.get(LOG_ENVIRONMENT, ""), act=_act) if text else None


@functools.cache
def _from_environment() -> Failpoints | None:
    """Of this process: a step is named where it is, and is handed no argument for the tests' sake."""
    return from_environment(os.environ)


def _act(point: Failpoint) -> None:
    if point.action == "hold":
        time.sleep(point.seconds)
    else:
        os.kill(os.getpid(), signal.SIGKILL if point.action == "kill" else signal.SIGSTOP)
