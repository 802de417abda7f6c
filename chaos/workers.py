"""Workers as processes. Each runs `python -m consumer`, forked from a server that has imported everything."""

import asyncio
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from configs import cli
from configs.failpoints import ENVIRONMENT, LOG_ENVIRONMENT
from telemetry.children import die_with_parent

POLL_S = 0.02
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["chaos.workers", "consumer.worker.command"])


def run_worker(environment: dict[str, str], log: str, mutant: str) -> None:
    """Runs in the child: does what `python -m consumer` does, with its output in the file `log`."""
    die_with_parent()
    os.environ.update(environment)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    signal.signal(signal.SIGUSR1, _dump_tasks)
    from chaos.mutants import mutants
    from consumer.__main__ import main

    if mutant:
        mutants.MUTANTS[mutant]()
    cli.run(lambda: main([]))


def _dump_tasks(number: int, frame: object) -> None:
    """Prints on SIGUSR1 where every task stands."""
    for task in asyncio.all_tasks():
        stack = [f"{Path(f.f_code.co_filename).name}:{f.f_lineno} {f.f_code.co_name}" for f in task.get_stack()]
        print("TASK", task.get_name(), task.get_coro(), stack, flush=True)


class Worker:
    """One worker process. `ended` is the exit code that the run expects of it, None while it should go on."""

    def __init__(self, name: str, process: ForkServerProcess, log: Path, *, failpoints: str) -> None:
        self.name = name
        self.process = process
        self.log = log
        self.failpoints = failpoints
        self.frozen = False
        self.ended: int | None = None

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.exitcode is None

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.ended = -signal.SIGKILL
        self.signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.ended = 0
        self.signal(signal.SIGTERM)

    def freeze(self) -> None:
        self.frozen = True
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.frozen = False
        if self.alive:
            self.signal(signal.SIGCONT)

    async def exited(self, *, within_s: float) -> int:
        """Waits for its end and returns the exit code. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while (code := self.process.exitcode) is None:
                await asyncio.sleep(POLL_S)
        return code

    def entries(self) -> list[dict[str, Any]]:
        """Returns the entries of its log. A line that is not JSON becomes {"text": line}."""
        if not self.log.exists():
            return []
        return [_entry(line) for line in self.log.read_text(errors="replace").splitlines()]

    def assignments(self) -> list[set[int]]:
        """Returns the partitions that were assigned to it, one set for each rebalance."""
        return [set(entry["partitions"]) for entry in self.entries() if "partitions" in entry]

    def last_lines(self, count: int = 3) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " | ".join(lines[-count:])[-600:]


class Workers:
    """All workers of a run. Each gets `environment`; `mutant` names the rule that they break, if any."""

    def __init__(self, directory: Path, environment: Mapping[str, str], *, mutant: str = "") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._environment = dict(environment)
        self._mutant = mutant
        self.all: list[Worker] = []
        self.failpoints_log = directory / "failpoints.jsonl"

    @property
    def alive(self) -> list[Worker]:
        return [worker for worker in self.all if worker.alive]

    @property
    def working(self) -> list[Worker]:
        """Workers that are alive, not frozen, and not about to end."""
        return [each for each in self.alive if not each.frozen and not each.failpoints and each.ended is None]

    def start(self, *, failpoints: str = "", environment: Mapping[str, str] | None = None) -> Worker:
        name = f"w{len(self.all) + 1:03d}"
        log = self._directory / f"{name}.log"
        given = self._environment | dict(environment or {})
        given |= {ENVIRONMENT: failpoints, LOG_ENVIRONMENT: str(self.failpoints_log)}
        process = SERVER.Process(target=run_worker, args=(given, str(log), self._mutant), name=name)
        process.start()
        worker = Worker(name, process, log, failpoints=failpoints)
        self.all.append(worker)
        return worker

    def fired(self, worker: Worker) -> bool:
        return any(entry["pid"] == worker.pid for entry in self.firings())

    def firings(self) -> list[dict[str, Any]]:
        if not self.failpoints_log.exists():
            return []
        return [json.loads(line) for line in self.failpoints_log.read_text().splitlines()]

    @property
    def rounds(self) -> int:
        """Number of assignments that the living workers got."""
        return sum(len(worker.assignments()) for worker in self.alive)

    def logged(self, text: str) -> int:
        """Counts `text` in all logs."""
        return sum(worker.log.read_text(errors="replace").count(text) for worker in self.all if worker.log.exists())

    def fell(self) -> list[str]:
        """Returns a line for each worker that ended with an unexpected exit code."""
        return [
            f"{worker.name} ended with {worker.process.exitcode}: {worker.last_lines()}"
            for worker in self.all
            if worker.process.exitcode not in (None, worker.ended)
        ]

    def kill_all(self) -> None:
        for worker in self.alive:
            worker.kill()
        deadline = time.monotonic() + 10
        for worker in self.all:
            worker.process.join(max(0.0, deadline - time.monotonic()))


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {"text": line}
    return entry if isinstance(entry, dict) else {"text": line}
