"""Failpoints: named steps at which a test may kill, stop or hold the process. Normally they do nothing.

    FAILPOINTS="worker.flush.sent=kill@3,cache.written=stop" FAILPOINTS_LOG=fired.log python -m consumer

`kill` sends SIGKILL to the process itself, and `stop` sends SIGSTOP. `hold:2.5` blocks it for 2.5 seconds. `@3` means
that it acts at the third hit; the default is the first. Before it acts, it writes one JSON line to the log.
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
    """Tell the failpoint `name` that the process has reached it."""
    armed = _from_environment()
    if armed is not None:
        armed.hit(name)


@dataclass(frozen=True, slots=True)
class Failpoint:
    """One armed step. `seconds` is the time for `hold`; `at` is the number of the hit that fires it, from 1."""

    name: str
    action: str
    seconds: float = 0.0
    at: int = 1


class Failpoints:
    """The failpoints armed in this process. `act` carries out the action; `log` is a path, or empty."""

    def __init__(self, points: list[Failpoint], *, log: str, act: Callable[[Failpoint], None]) -> None:
        self._points = points
        self._log = log
        self._act = act
        self._hits: Counter[str] = Counter()

    def hit(self, name: str) -> None:
        """Count the hit, and fire the failpoints that are due."""
        self._hits[name] += 1
        for point in self._points:
            if point.name == name and point.at == self._hits[name]:
                self._record(point)
                self._act(point)

    def _record(self, point: Failpoint) -> None:
        """Append a line in one write, so that processes may share a log."""
        if not self._log:
            return
        line = {"name": point.name, "action": point.action, "at": point.at, "pid": os.getpid(), "time_s": time.time()}
        file = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)


def parse(text: str) -> list[Failpoint]:
    """Parse a value of FAILPOINTS. Raises SettingsError."""
    points = []
    for part in filter(None, text.split(",")):
        match = _ARMED.fullmatch(part)
        if match is None:
            raise SettingsError(f"{ENVIRONMENT}: {part!r} is not NAME=kill|stop|hold:SECONDS[@TIMES]")
        action = match["action"].partition(":")[0]
        points.append(Failpoint(match["name"], action, float(match["seconds"] or 0), int(match["at"] or 1)))
    return points


def from_environment(environ: Mapping[str, str]) -> Failpoints | None:
    """Return the failpoints that `environ` arms, or None. Raises SettingsError."""
    text = environ.get(ENVIRONMENT)
    return Failpoints(parse(text), log=environ.get(LOG_ENVIRONMENT, ""), act=_act) if text else None


@functools.cache
def _from_environment() -> Failpoints | None:
    """Return this process's failpoints. They are global, so that no function takes an argument for the tests' sake."""
    return from_environment(os.environ)


def _act(point: Failpoint) -> None:
    if point.action == "hold":
        time.sleep(point.seconds)
    else:
        os.kill(os.getpid(), signal.SIGKILL if point.action == "kill" else signal.SIGSTOP)
