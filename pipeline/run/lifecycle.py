"""One run, from the start of its first process to the end of its last one."""

import asyncio
import signal
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka.errors import KafkaError

from ledger.progress import Progress
from messaging.follow import Follower, follow
from messaging.stopping import StoppedError
from messaging.topics import ensure_topics
from output.sink_state import read_sink_state
from pipeline.errors import PipelineError
from pipeline.progress.feed import ProgressFeed
from pipeline.progress.view import View
from pipeline.run.children import Child
from pipeline.run.family import Family
from pipeline.run.plan import RunPlan
from pipeline.run.start import Starter
from pipeline.run.undone import undone
from schemas import TopicNames

BROKER_PATIENCE_S = 30.0
REFRESH_S = 0.1


@dataclass(slots=True)
class Run:
    """Starts the broker and the model server, then the topics, the sink, the workers, and the producer.

    They stop in the reverse order, so that no process waits for one that is gone: the producer first, then the workers
    while all others still serve them, then the sink, the model server, and at last the broker.
    `stopped` has the signal that ended the run. With --once, `undone` has in the end the reason for each path that the
    producer could not read.
    """

    plan: RunPlan
    view: View
    environ: Mapping[str, str]
    progress: Progress = field(default_factory=Progress)
    undone: dict[str, str] = field(default_factory=dict)
    family: Family = field(init=False)
    stopped: asyncio.Future[signal.Signals] = field(init=False)

    def __post_init__(self) -> None:
        self.family = Family(self.plan.logs_dir)

    async def execute(self) -> None:
        """Runs until all is done (--once), or for ever; ends all children. Raises PipelineError and StoppedError."""
        self.stopped = asyncio.get_running_loop().create_future()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)
        try:
            await _first(self.family.guard(), self._until_signal(), self._work())
        except KafkaError as exc:
            raise await self._explained(exc) from exc
        finally:
            await self.family.stop()
            self.view.close()

    def _on_signal(self, number: signal.Signals) -> None:
        if self.stopped.done():
            self.view.note("Stopping at once.")
            self.family.hurry.set()
        else:
            self.stopped.set_result(number)
            self.view.note("Stopping in order; a second signal stops at once.")

    async def _until_signal(self) -> None:
        raise StoppedError((await self.stopped).name)

    async def _explained(self, exc: KafkaError) -> PipelineError:
        """Returns the error for the user. Raises the broker's own error if it has died: its log says more."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.family.guard(), 1.0)
        return PipelineError(f"Kafka does not answer as it should: {exc!r}. Logs are in {self.plan.logs_dir}")

    async def _work(self) -> None:
        starter = Starter(self.plan, self.family, self.view, self.environ)
        settings = await starter.servers()
        await ensure_topics(settings.kafka, patience_s=BROKER_PATIENCE_S)
        names = TopicNames(settings.kafka.namespace)
        async with follow(settings.kafka, names.files) as ledger, follow(settings.kafka, names.results) as results:
            tally = ProgressFeed(self.progress, fresh_from=await results.ends())
            producer = starter.processes(settings)
            await _first(
                self._until_done(producer, ledger, results),
                ledger.run(tally.take_entry),
                results.run(tally.take_result),
                self._show(),
            )

    async def _show(self) -> None:
        while True:
            self.view.update(self.progress.totals)
            await asyncio.sleep(REFRESH_S)

    async def _until_done(self, producer: Child, ledger: Follower, results: Follower) -> None:
        """Waits until all is on disk. Consumer lag can't tell: transaction markers keep it above 0."""
        await producer.wait()
        self.family.check(producer)
        self.undone = undone(self.plan.layout.home)
        if self.undone:
            self.view.note(f"{len(self.undone)} files or folders could not be read (see the end); the run goes on.")
        ends = await ledger.ends()
        while not (  # noqa: ASYNC110 - files and Kafka positions send no events
            await ledger.has_reached(ends) and self._is_done(ledger, results)
        ):
            await asyncio.sleep(REFRESH_S)
        self.view.update(self.progress.totals)

    def _is_done(self, ledger: Follower, results: Follower) -> bool:
        state = read_sink_state(self.plan.layout)
        return self.progress.totals.waiting == 0 and state.has_written(results=results.read, ledger=ledger.read)


async def _first(*works: Coroutine[Any, Any, None]) -> None:
    """Runs `works` until one of them ends or fails; the others are cancelled and awaited."""
    tasks = [asyncio.create_task(work) for work in works]
    ended: set[asyncio.Task[None]] = set()
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if task in ended:
            task.result()
