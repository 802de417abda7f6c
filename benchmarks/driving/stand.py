"""The stand of every trial: a broker, workers and model servers as processes, and the records that they produce."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer

from benchmarks.driving.model import entries
from configs.settings import Settings, environment_name, load_settings
from messaging.connection import make_consumer, start_patiently
from messaging.reading import assign_all
from messaging.topics import ensure_topics
from schemas import DeadLetter, Result, Status, TopicNames, decode
from server.ports import free_port
from telemetry.children import ends_with_parent
from tests.support.chunks import make_chunk, publish

ROOT = Path(__file__).resolve().parents[2]
LOOK_S = 0.2


class Process:
    """A process that can be killed and started again with the same arguments. Its output is appended to `log`."""

    def __init__(self, arguments: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self._arguments, self._log = arguments, log
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._arguments],
                cwd=ROOT,
                env={**os.environ, **self._environment},
                stdout=log,
                stderr=log,
                preexec_fn=ends_with_parent(),  # noqa: PLW1509
            )

    def output(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def end(self) -> None:
        if self._process is None or not self.alive:
            return
        self.thaw()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()


class Model(Process):
    """A model server that keeps its port over all starts."""

    def __init__(self, folder: Path, name: str, *flags: object) -> None:
        port = free_port("127.0.0.1")
        self.url = f"http://127.0.0.1:{port}/v1"
        self.log = folder / f"{name}.jsonl"
        arguments = ["benchmarks.driving.model", "--port", port, "--log", self.log, *flags]
        super().__init__(list(map(str, arguments)), folder / f"{name}.out")

    def hang_engine(self) -> None:
        self._send(signal.SIGUSR1)

    def free_engine(self) -> None:
        self._send(signal.SIGUSR2)

    def entries(self, event: str) -> list[dict[str, Any]]:
        return [entry for entry in entries(self.log) if entry["event"] == event]

    async def keep_alive(self, *, away_s: float) -> None:
        """Start the server again some time after each crash, as its operator would."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not self.alive:
                await asyncio.sleep(away_s)
                self.start()


@dataclass
class Seen:
    """Outcomes by chunk, with the time at which each was read, and dead letters by chunk."""

    results: dict[str, Result] = field(default_factory=dict)
    times_s: dict[str, float] = field(default_factory=dict)
    letters: list[DeadLetter] = field(default_factory=list)
    twice: int = 0

    def count(self, status: Status) -> int:
        return sum(result.status is status for result in self.results.values())

    async def reach(self, outcomes: int, *, within_s: float = 900) -> None:
        async with asyncio.timeout(within_s):
            while len(self.results) < outcomes:  # noqa: ASYNC110 - a condition to wait for, once in a while
                await asyncio.sleep(LOOK_S)


class Stand:
    """One namespace of a broker. All processes end with the context."""

    def __init__(self, settings: Settings, folder: Path, stack: AsyncExitStack) -> None:
        self.settings, self.folder, self._stack = settings, folder, stack
        self.seen = Seen()
        self._workers = 0

    def model(self, name: str, *flags: object) -> Model:
        model = Model(self.folder, name, *flags)
        self._begin(model)
        return model

    def worker(self, *models: Model, **settings: object) -> Process:
        """Start `python -m consumer`."""
        given = {
            "bootstrap_servers": self.settings.kafka.brokers,
            "namespace": self.settings.kafka.namespace,
            "model_urls": ",".join(model.url for model in models),
            "cache": "false",
        } | settings
        self._workers += 1
        environment = {environment_name(name): str(value) for name, value in given.items()}
        worker = Process(["consumer"], self.folder / f"worker-{self._workers}.log", environment)
        self._begin(worker)
        return worker

    async def shared_out(self, *workers: Process, within_s: float = 120) -> None:
        """Wait until every worker has its partitions, because calls in flight at a rebalance may be made twice."""
        part = f"assigned {self.settings.kafka.partitions // len(workers)} partitions"
        async with asyncio.timeout(within_s):
            while not all(part in worker.output() for worker in workers):  # noqa: ASYNC110 - as in `reach`
                await asyncio.sleep(LOOK_S)

    async def publish(self, texts: list[str], *, path: str = "doc.txt") -> None:
        await publish(self.settings, [make_chunk(text, index, path=path) for index, text in enumerate(texts)])

    def _begin(self, process: Process) -> None:
        process.start()
        self._stack.callback(process.end)


@asynccontextmanager
async def stand(broker: str, folder: Path, name: str) -> AsyncIterator[Stand]:
    """A stand in a folder of its own, which follows the results that the workers commit."""
    settings = load_settings({"bootstrap_servers": broker, "namespace": f"{name}-{int(time.time())}"})
    await ensure_topics(settings.kafka)
    place = folder / settings.kafka.namespace
    place.mkdir()
    async with AsyncExitStack() as stack:
        made = Stand(settings, place, stack)
        following = asyncio.create_task(_follow(settings, made.seen))
        stack.callback(following.cancel)
        yield made


async def _follow(settings: Settings, seen: Seen) -> None:
    names = TopicNames(settings.kafka.namespace)
    async with asyncio.TaskGroup() as group:
        for topic in (names.results, names.dead_letters):
            group.create_task(_read(settings, topic, seen))


async def _read(settings: Settings, topic: str, seen: Seen) -> None:
    consumer: AIOKafkaConsumer = make_consumer(settings.kafka)
    await start_patiently(consumer, settings.kafka)
    try:
        await assign_all(consumer, topic)
        while True:
            for records in (await consumer.getmany(timeout_ms=int(LOOK_S * 1000))).values():
                for record in records:
                    _note(seen, record.value, letter=topic.endswith("letters"))
    finally:
        await consumer.stop()


def _note(seen: Seen, value: bytes, *, letter: bool) -> None:
    if letter:
        seen.letters.append(decode(DeadLetter, value))
        return
    result = decode(Result, value)
    seen.twice += result.chunk.id in seen.results
    seen.results[result.chunk.id] = result
    seen.times_s[result.chunk.id] = time.time()
