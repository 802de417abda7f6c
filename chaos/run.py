"""The parts of a run: brokers, model server, workers, checker and feed."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.checking.feed import Feed, make_items
from chaos.cluster import Cluster
from chaos.plan import Profile
from chaos.workers import POLL_S, Workers
from configs.settings import Settings, load_settings
from messaging.topics import ensure_topics
from telemetry.children import ends_with_parent

ROOT = Path(__file__).resolve().parents[1]
STALL_S = 90.0
"""Longest time without an outcome, with no fault under way. After that, the run has stalled."""


@dataclass(frozen=True, slots=True)
class Options:
    """The size of a run. `bad` is the share of spoilt answers, `workers` the number of workers that are kept alive.

    A worker may take up to `stop_s` seconds to stop.
    """

    chunks: int
    seed: int = 0
    planted: int = 40
    workers: int = 3
    partitions: int = 12
    bad: float = 0.2
    session_timeout_ms: int = 4_000
    concurrency: int = 32
    flush_ms: int = 200
    mutant: str = ""
    recipe: str = "fast"
    stall_s: float = STALL_S
    stop_s: float = 30.0
    quiet: bool = False


def options_of(profile: Profile) -> Options:
    return Options(chunks=profile.chunks, planted=profile.planted, seed=profile.seed, workers=profile.workers)


class FaultFailedError(AssertionError):
    """A fault did not take place, so the run proves nothing."""


@dataclass(slots=True)
class Report:
    """The faults of a run, and the problems that were found."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    history: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    spoilt: dict[str, int] = field(default_factory=dict)
    wall_s: float = 0.0
    workers: int = 0
    verdict: str = ""
    problems: dict[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not self.failures and not any(self.problems.values())

    def __str__(self) -> str:
        bad = sum(count for kind, count in self.spoilt.items() if kind != "good")
        every = sum(self.spoilt.values()) or 1
        lines = [
            f"seed {self.seed}, {self.wall_s:.0f} s, {self.workers} workers, {bad} of {every} answers bad",
            *(f"{count:7d} × {kind}" for kind, count in sorted(self.faults.items())),
            self.verdict,
            *(f"FAILED: {failure}" for failure in self.failures),
        ]
        return "\n".join(lines)


class Run:
    """Everything that a fault can act on."""

    def __init__(self, cluster: Cluster, directory: Path, options: Options, settings: Settings) -> None:
        self.cluster = cluster
        self.directory = directory
        self.options = options
        self.settings = settings
        self.random = random.Random(options.seed)
        self.report = Report(options.seed)
        self.model = ModelProcess(directory, options)
        self.cache = directory / "cache.sqlite"
        self.expectations = directory / "expectations.jsonl"
        self.expectations.touch()
        items = make_items(options.chunks, seed=options.seed, planted=options.planted)
        self.feed = Feed(settings, items, self.expectations)
        self.checker = Checker(settings, self.expectations, directory)
        self.workers = Workers(directory / "workers", {}, mutant=options.mutant)
        self._began_s = time.monotonic()
        self._background: set[asyncio.Task[None]] = set()

    def note(self, text: str) -> None:
        line = f"{time.monotonic() - self._began_s:6.1f} s  {self.checker.outcomes:6d}  {text}"
        self.report.history.append(line)
        if not self.options.quiet:
            print(line, flush=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._background.add(asyncio.create_task(work))

    async def join(self, *, within_s: float) -> None:
        """Waits for work that faults left in the background. If it fails or is late, the run has failed."""
        if not self._background:
            return
        done, late = await asyncio.wait(self._background, timeout=within_s)
        for task in late:
            task.cancel()
        for outcome in await asyncio.gather(*done, *late, return_exceptions=True):
            if isinstance(outcome, BaseException):
                self.report.failures.append(f"a fault failed: {outcome!r}")
        self._background.clear()

    def keep_workers(self, count: int | None = None) -> None:
        """Starts as many workers as are missing."""
        wanted = self.options.workers if count is None else count
        for _ in range(wanted - len(self.workers.working)):
            self.workers.start()

    async def progress(self, *, more: int = 1, within_s: float | None = None) -> None:
        """Waits for `more` outcomes, or for those of all published records. Raises FaultFailedError after a stall."""
        wanted = min(self.feed.published, self.checker.outcomes + more)
        await self.until(lambda: self.checker.outcomes >= wanted, f"{wanted} outcomes", within_s=within_s)

    async def until(self, condition: Callable[[], object], what: str, *, within_s: float | None = None) -> None:
        """Waits for the condition. Raises FaultFailedError, which names `what`, when it takes too long."""
        deadline = time.monotonic() + (within_s or self.options.stall_s)
        while not condition():
            if time.monotonic() > deadline:
                raise FaultFailedError(f"waited in vain for {what}, at {self.checker.outcomes} outcomes")
            await asyncio.sleep(POLL_S)

    async def finish(self) -> None:
        """Publishes the rest, waits until all is done or the run has stalled, stops the workers, and asks the checker."""
        async with self.cluster.busy:
            await self.feed.publish(self.options.chunks)
        self.keep_workers(max(1, self.options.workers))
        await self._drain()
        await self._stop_workers()
        self.report.failures += self.workers.fell()
        self.report.problems, self.report.verdict = await self.checker.finish()
        self.report.spoilt = self.model.done
        self.report.workers = len(self.workers.all)
        self.report.wall_s = time.monotonic() - self._began_s

    async def _drain(self) -> None:
        try:
            while self.checker.outcomes < self.feed.published:
                await self.progress()
                self.keep_workers(max(1, self.options.workers))
        except FaultFailedError as exc:
            self.report.failures.append(f"stalled: {exc}")
            for worker in self.workers.alive:
                worker.signal(signal.SIGUSR1)

    async def _stop_workers(self) -> None:
        for worker in self.workers.alive:
            worker.thaw()
            worker.terminate()
        for worker in self.workers.alive:
            try:
                await worker.exited(within_s=self.options.stop_s)
            except TimeoutError:
                worker.signal(signal.SIGUSR1)
                self.report.failures.append(f"{worker.name} does not stop: {worker.last_lines()}")


@asynccontextmanager
async def prepared_run(cluster: Cluster, directory: Path, options: Options) -> AsyncIterator[Run]:
    """Yields a run with topics, model server and checker. Nothing is published, and no worker has started."""
    directory.mkdir(parents=True, exist_ok=True)
    namespace = f"chaos-{options.seed}-{os.urandom(3).hex()}"
    values = {"namespace": namespace, "partitions": options.partitions}
    settings = load_settings(values | {"bootstrap_servers": cluster.direct}, environ={})
    await ensure_topics(settings.kafka)
    run = Run(cluster, directory, options, settings)
    async with AsyncExitStack() as stack:
        stack.callback(run.model.end)
        await run.model.start()
        stack.callback(run.checker.end)
        run.checker.start()
        run.workers = Workers(directory / "workers", _worker_environment(run, cluster), mutant=options.mutant)
        stack.callback(run.workers.kill_all)
        yield run


def _worker_environment(run: Run, cluster: Cluster) -> dict[str, str]:
    options = run.options
    return {
        "KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrap,
        "VLLM_SERVER_URL": run.model.url,
        "QASTREAM_NAMESPACE": run.settings.kafka.namespace,
        "QASTREAM_PARTITIONS": str(options.partitions),
        "QASTREAM_SESSION_TIMEOUT_MS": str(options.session_timeout_ms),
        "QASTREAM_CONCURRENCY": str(options.concurrency),
        "QASTREAM_FLUSH_MS": str(options.flush_ms),
        "QASTREAM_CACHE_PATH": str(run.cache),
        "QASTREAM_RECIPE": options.recipe,
        "QASTREAM_TIMEOUT_S": "8",
        "QASTREAM_LOG_FORMAT": "json",
    }


class Child:
    """A process of the run. Its output goes to a log in the run's directory."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self, *command: str) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                preexec_fn=ends_with_parent(),  # noqa: PLW1509 - what it calls is safe after fork
            )

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class ModelProcess(Child):
    """The misbehaving model server. It may be killed and started again on its port."""

    def __init__(self, directory: Path, options: Options) -> None:
        super().__init__(directory / "model.log")
        self._status = directory / "model.json"
        self._options = options
        self._before: Counter[str] = Counter()
        self._port = 0
        self._starts = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def done(self) -> dict[str, int]:
        """Number of answers by kind, over all starts."""
        now: dict[str, int] = self._read().get("done", {})
        return dict(self._before + Counter(now))

    async def start(self) -> None:
        self._before += Counter(self._read().get("done", {}))
        self._status.unlink(missing_ok=True)
        self._starts += 1
        options = self._options
        self.launch(
            "chaos.model", "--port", str(self._port), "--status", str(self._status),
            "--bad", str(options.bad), "--seed", str(options.seed + self._starts),
        )  # fmt: skip
        while not self._read():
            assert self.process.poll() is None, "the model server died"
            await asyncio.sleep(POLL_S)
        self._port = self._read()["port"]

    def _read(self) -> dict[str, Any]:
        if not self._status.exists():
            return {}
        found: dict[str, Any] = json.loads(self._status.read_text())
        return found


class Checker(Child):
    """The checker process, which reads along."""

    def __init__(self, settings: Settings, expectations: Path, directory: Path) -> None:
        super().__init__(directory / "checker.log")
        self._settings = settings
        self._expectations = expectations
        self._status = directory / "checker.json"

    def start(self) -> None:
        settings = self._settings
        self.launch(
            "chaos.checking.checker", "--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace,
            "--expectations", str(self._expectations), "--follow", str(self._status),
        )  # fmt: skip

    @property
    def outcomes(self) -> int:
        return int(self._read()["outcomes"])

    @property
    def doubled(self) -> int:
        return int(self._read()["doubled"])

    def _read(self) -> dict[str, int]:
        if not self._status.exists():
            return {"outcomes": 0, "doubled": 0}
        found: dict[str, int] = json.loads(self._status.read_text())
        return found

    async def finish(self) -> tuple[dict[str, int], str]:
        """Stops reading along. Returns the number of problems by kind, and the verdict in words."""
        self.process.terminate()
        while self.process.poll() is None:
            await asyncio.sleep(POLL_S)
        text = self._log.read_text()
        head, _, words = text.partition("\n")
        try:
            return json.loads(head)["problems"], words.strip()
        except (ValueError, KeyError, TypeError):
            return {"checker": 1}, f"the checker failed: {text[-2000:]}"
