"""Measures a worker on a backlog and on repeated texts, and the cost of many records behind it.

    python benchmarks/worker.py [slow] [distinct] [verify] [document] [--scale 0.1]

It starts a Kafka broker of its own and real processes; the model server is a fake that counts requests. `slow`: one
answer takes ten minutes while 100,000 chunks wait behind it. `distinct`: 10,000 chunks of 1,000 texts and four workers,
undisturbed and with ten kill -9. `verify`: time and memory of `consumer verify` over 100,000 and 1,000,000 records.
`document`: time and memory of a sink that gets a document of 500,000 chunks. All files are below a temporary directory,
which is removed at the end.
"""

import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import psutil
from aiohttp import web

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.running import Benchmark, run_benchmarks  # noqa: E402
from chaos.fake_model import FakeModel, text_of  # noqa: E402
from chaos.workers import Worker, Workers  # noqa: E402
from configs.settings import Settings  # noqa: E402
from messaging.connection import make_consumer, start_patiently  # noqa: E402
from messaging.reading import assign_all  # noqa: E402
from messaging.topics import ensure_topics  # noqa: E402
from schemas import TopicNames  # noqa: E402
from tests.support.chunks import make_chunk  # noqa: E402
from tests.support.outcomes import (  # noqa: E402
    Message,
    Publisher,
    SinkProcess,
    make_chunk_of,
    make_document,
    make_entry,
    make_result,
)
from tests.support.settings import changed  # noqa: E402

MB = 1_000_000
CONCURRENCY = 64
BATCH = 1000
PATIENCE_S = 300
SINK_PATIENCE_S = 3600
DOCUMENT = 100
"""Number of chunks of a document."""


def main() -> None:
    benchmarks = {"slow": _run(slow), "distinct": _run(distinct), "verify": _run(verify), "document": _run(document)}
    run_benchmarks(benchmarks, description=__doc__, scaled="the number of chunks, and of the ten minutes")


def _run(benchmark: Callable[[Settings, Path, float], Coroutine[Any, Any, None]]) -> Benchmark:
    return lambda settings, base, scale: asyncio.run(benchmark(settings, base, scale))


async def slow(settings: Settings, base: Path, scale: float) -> None:
    """The other chunks keep the model busy for the whole time that the slow chunk takes."""
    count, slow_s = int(100_000 * scale), 600 * scale
    pace_s = CONCURRENCY * slow_s * 1.1 / count
    answered = asyncio.Event()

    async def script(_: web.Request, body: dict[str, Any]) -> None:
        if text_of(body).startswith("Slow"):
            await asyncio.sleep(slow_s)
            answered.set()
        else:
            await asyncio.sleep(pace_s)

    chunks = [make_chunk(f"Chunk {n} is one of many." if n else "Slow is what this one is.", n) for n in range(count)]
    await publish(settings, chunks)
    async with FakeModel(script).serve() as model, following(settings) as outcomes:
        workers = _workers(settings, base, model)
        worker = workers.start()
        rss = await _sampled_rss(worker, answered)
        before = Counter(outcomes.partitions.values())
        await outcomes.until(count)
        own = before[outcomes.partitions[chunks[0].chunk_id]]
        rounds = len(worker.assignments())
        await _stop(workers)
    minutes, sizes = zip(*rss[len(rss) // 10 :], strict=True)
    slope = statistics.linear_regression(minutes, sizes).slope
    print(
        f"slow: while an answer took {slow_s:.0f} s, {before.total()} of the {count} chunks behind it were done, {own} "
        f"of them in its own partition; {rounds - 1} rebalances; RSS {sizes[0]:.0f} to {sizes[-1]:.0f} MB, "
        f"{slope:+.2f} MB/min; {outcomes.doubled} doubled"
    )


async def distinct(settings: Settings, base: Path, scale: float) -> None:
    for kills in (0, 10):
        await _distinct(changed(settings, namespace=f"kills-{kills}"), base / str(kills), scale, kills)


async def _distinct(settings: Settings, base: Path, scale: float, kills: int) -> None:
    """Four workers share a cache, as on one machine. A killed worker is replaced at once."""
    texts, count = int(1000 * scale), int(10_000 * scale)
    chance = random.Random(1)
    chunks = [make_chunk(f"Text {n % texts} is there {count // texts} times.", n) for n in range(count)]
    chance.shuffle(chunks)
    await ensure_topics(settings.kafka)
    async with FakeModel(latency_s=1.0).serve() as model, following(settings) as outcomes:
        workers = _workers(settings, base, model, concurrency=16)
        for _ in range(4):
            workers.start()
        await _everyone_has_partitions(workers)
        await publish(settings, chunks)
        in_flight = 0
        for kill in range(kills):
            while model.calls.total() < (kill + 1) * texts // (kills + 1):  # noqa: ASYNC110 - a counter
                await asyncio.sleep(0.01)
            in_flight += model.under_way
            chance.choice(workers.alive).kill()
            workers.start()
        await outcomes.until(count)
        rounds = sum(len(worker.assignments()) for worker in workers.all)
        await _stop(workers)
    calls = model.calls.total()
    print(
        f"distinct: {count} chunks of {texts} texts, 4 workers, {kills} kill -9: {calls} calls "
        f"({calls - texts} more than texts; {in_flight} were in flight at the kills), {rounds} assignments, "
        f"{outcomes.doubled} doubled, {count - len(outcomes.partitions)} missing"
    )


async def verify(settings: Settings, base: Path, scale: float) -> None:
    for count in (int(100_000 * scale), int(1_000_000 * scale)):
        await _verify(changed(settings, namespace=f"verify-{count}"), base / f"out-{count}", count)


async def _verify(settings: Settings, output: Path, count: int) -> None:
    await publish(settings, _finished_work(count))
    began = time.monotonic()
    sink = SinkProcess(settings, output)
    while _documents(output) < count // DOCUMENT:
        assert sink.process.poll() is None, sink.lines()[-3:]
        assert time.monotonic() - began < SINK_PATIENCE_S, "the sink takes too long"
        await asyncio.sleep(1)
    sunk_s, sink_mb = time.monotonic() - began, psutil.Process(sink.process.pid).memory_info().rss / MB
    sink.stop()
    where = [
        "--namespace",
        settings.kafka.namespace,
        "--bootstrap-servers",
        settings.kafka.brokers,
        "--output-dir",
        str(output),
    ]
    said, code, seconds, peak_mb = _measured([sys.executable, "-m", "consumer", "verify", "--json", *where])
    print(
        f"verify: {count} records: exit {code} after {seconds:.0f} s, {peak_mb:.0f} MB RSS at most, "
        f"{orjson.loads(said)['records_on_disk']} on disk; the sink before it: {sunk_s:.0f} s, {sink_mb:.0f} MB"
    )


async def document(settings: Settings, base: Path, scale: float) -> None:
    for count in (int(50_000 * scale), int(500_000 * scale)):
        await _document(changed(settings, namespace=f"document-{count}"), base / f"out-{count}", count)


async def _document(settings: Settings, output: Path, count: int) -> None:
    large = make_document("large.txt")
    await publish(settings, (make_result(large, index, rejected=index % 2) for index in range(count)))
    await publish(settings, [make_entry(large, chunks=count)])
    began = time.monotonic()
    sink = SinkProcess(settings, output)
    path = output / "documents" / "large.txt.json"
    while not path.exists():
        assert sink.process.poll() is None, sink.lines()[-3:]
        assert time.monotonic() - began < SINK_PATIENCE_S, "the sink takes too long"
        await asyncio.sleep(1)
    seconds, peak_mb = time.monotonic() - began, _peak_mb(sink.process.pid)
    sink.stop()
    print(
        f"document: of {count} chunks, {path.stat().st_size / MB:.0f} MB, there {seconds:.0f} s after the sink began; "
        f"{peak_mb:.0f} MB RSS at most",
        flush=True,
    )


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / MB


def _measured(command: list[str]) -> tuple[bytes, int, float, float]:
    """The output, exit code, seconds and peak RSS in MB of a process."""
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    return said, os.waitstatus_to_exitcode(status), time.monotonic() - began, usage.ru_maxrss * 1024 / MB


def _finished_work(count: int) -> Iterator[Message]:
    """Publish chunks, their results and ledger entries, as a run leaves them."""
    for first in range(0, count, DOCUMENT):
        document = make_document(f"{first // DOCUMENT:06d}.txt")
        for index in range(DOCUMENT):
            result = make_result(document, index)
            yield make_chunk_of(result)
            yield result
        yield make_entry(document, chunks=DOCUMENT)


def _documents(output: Path) -> int:
    folder = output / "documents"
    return sum(1 for _ in folder.iterdir()) if folder.exists() else 0


async def publish(settings: Settings, messages: Iterable[Message]) -> None:
    """Publish records in transactions of a thousand."""
    left = iter(messages)
    async with Publisher(settings) as publisher:
        while batch := list(islice(left, BATCH)):
            await publisher.publish(batch)


class Outcomes:
    """The results topic so far: the partition of each chunk by chunk id. `doubled` are chunks with several results."""

    def __init__(self) -> None:
        self.partitions: dict[str, int] = {}
        self.doubled = 0

    def take(self, value: bytes) -> None:
        result = orjson.loads(value)
        self.doubled += result["chunk"]["id"] in self.partitions
        self.partitions[result["chunk"]["id"]] = result["origin"]["partition"]

    async def until(self, count: int) -> None:
        seen, since = -1, time.monotonic()
        while len(self.partitions) < count:
            if len(self.partitions) > seen:
                seen, since = len(self.partitions), time.monotonic()
            assert time.monotonic() - since < PATIENCE_S, f"nothing more after {seen} of {count} outcomes"
            await asyncio.sleep(0.05)


@asynccontextmanager
async def following(settings: Settings) -> AsyncIterator[Outcomes]:
    await ensure_topics(settings.kafka)
    outcomes = Outcomes()
    consumer = make_consumer(settings.kafka)
    await start_patiently(consumer, settings.kafka)

    async def follow() -> None:
        await assign_all(consumer, TopicNames(settings.kafka.namespace).results)
        async for record in consumer:
            outcomes.take(record.value)

    task = asyncio.create_task(follow())
    try:
        yield outcomes
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await consumer.stop()


def _workers(settings: Settings, base: Path, model: FakeModel, *, concurrency: int = CONCURRENCY) -> Workers:
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka.brokers,
        "VLLM_SERVER_URL": model.url,
        "QASTREAM_NAMESPACE": settings.kafka.namespace,
        "QASTREAM_CONCURRENCY": str(concurrency),
        "QASTREAM_SESSION_TIMEOUT_MS": "4000",
        "QASTREAM_CACHE_PATH": str(base / "cache.sqlite"),
        "QASTREAM_RECIPE": "fast",
        "QASTREAM_TIMEOUT_S": "3600",
        "QASTREAM_LOG_FORMAT": "json",
    }
    return Workers(base / "workers", environment)


async def _everyone_has_partitions(workers: Workers) -> None:
    while not all(worker.assignments() and worker.assignments()[-1] for worker in workers.all):  # noqa: ASYNC110 - logs
        await asyncio.sleep(0.1)


async def _sampled_rss(worker: Worker, until: asyncio.Event) -> list[tuple[float, float]]:
    """Samples of minutes and MB, once a second."""
    began, process, samples = time.monotonic(), psutil.Process(worker.pid), []
    while not until.is_set():
        samples.append(((time.monotonic() - began) / 60, process.memory_info().rss / MB))
        await asyncio.sleep(1)
    return samples


async def _stop(workers: Workers) -> None:
    for worker in workers.alive:
        worker.terminate()
    for worker in workers.alive:
        await worker.exited(within_s=60)


if __name__ == "__main__":
    main()
