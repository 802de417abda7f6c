"""What all processes say of one run, over a real Kafka: counts that add up, and one trace a file."""

import asyncio
import gzip
import io
import logging
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from aiohttp import web

from chaos.fake_model import FakeModel
from configs.recipe import load_recipe
from configs.settings import Settings, load_settings
from consumer.sink.service import run_sink
from consumer.worker.app import work
from messaging.topics import ensure_topics
from output.layout import Layout
from producer.alarm import Alarm
from producer.app import run
from schemas import Result, Status, TopicNames
from server.broker.node import Broker
from server.ports import free_port
from telemetry.logs import configure_logs
from tests.conftest import MakeSettings
from tests.support.chunks import make_chunk, publish, read_all
from tests.support.collector import Collector
from tests.support.metrics import Scrape, get, readiness, scrape, until
from tests.support.settings import changed

SECRET = "Plutonium is the secret of this text."
TEXTS = {f"{i}.txt": "".join(f"Fact {i} number {j}. {SECRET}\n\n" for j in range(6)) for i in range(4)}


def with_port(settings: Settings) -> Settings:
    return changed(settings, metrics_port=free_port("127.0.0.1"))


@dataclass(frozen=True, slots=True)
class Whole:
    """Settings of each process, all of which run in this one."""

    producer: Settings
    worker: Settings
    sink: Settings

    async def scrapes(self) -> tuple[Scrape, Scrape, Scrape]:
        return await scrape(self.producer), await scrape(self.worker), await scrape(self.sink)


@asynccontextmanager
async def whole(settings: Settings) -> AsyncIterator[Whole]:
    processes = Whole(*(with_port(settings) for _ in range(3)))
    alarm, stop = Alarm(), asyncio.Event()
    layout = Layout(settings.sink.output_dir)
    async with asyncio.TaskGroup() as group:
        group.create_task(run_sink(processes.sink, layout, stop))
        group.create_task(work(processes.worker, load_recipe("fast"), stop))
        group.create_task(run(processes.producer, alarm, once=False))
        try:
            yield processes
        finally:
            alarm.stop()
            stop.set()


async def refuse_one(request: web.Request, body: dict) -> web.Response | None:
    text = body["messages"][-1]["content"]
    return web.json_response({"error": {"message": "no"}}, status=400) if "Fact 3 number 5" in text else None


async def finished(processes: Whole, chunks: int) -> None:
    async with asyncio.timeout(90):
        for settings in (processes.producer, processes.worker, processes.sink):
            await until(settings, lambda status, _: status == 200)
        while (await scrape(processes.sink)).value("qastream_results_written_total") < chunks:
            await asyncio.sleep(0.05)
        while (await scrape(processes.producer)).value("qastream_chunks_unfinished"):
            await asyncio.sleep(0.05)
        while not (await scrape(processes.producer)).value("qastream_files_rejected_total"):
            await asyncio.sleep(0.05)


async def test_a_run_adds_up_and_is_one_trace_a_file(
    make_settings: MakeSettings, tmp_path: Path, everything_logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no text is in what it logs or traces."""
    monkeypatch.setattr("telemetry.otel.SEND_S", 60.0)  # the collector is in the loop that all of them keep busy
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name, text in TEXTS.items():
        (source / name).write_text(text)
    (source / "picture.txt").write_bytes(b"\x00\x01\x02\x03" * 50)
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(FakeModel(refuse_one).serve())
        collector = await stack.enter_async_context(Collector().serve())
        settings = make_settings(
            input_dir=source, output_dir=output, model_urls=model.url, otlp_endpoint=collector.url, chunk_size=100,
            settle_ms=0, cache_path=tmp_path / "cache.sqlite", segment_ms=50,
        )  # fmt: skip
        async with whole(settings) as processes:
            chunks = await count_of_chunks(processes)
            await finished(processes, chunks)
            results = await read_all(settings, TopicNames(settings.kafka.namespace).results, Result)
            check_counts(await processes.scrapes(), results, model)
    check_traces(collector, chunks)
    assert "answers" in everything_logged.getvalue()
    assert "Plutonium" not in everything_logged.getvalue()


async def count_of_chunks(processes: Whole) -> int:
    await until(processes.producer, lambda status, _: status == 200)
    async with asyncio.timeout(30):
        while True:
            said = await scrape(processes.producer)
            if said.value("qastream_files_published_total") == len(TEXTS):
                return int(said.value("qastream_chunks_published_total"))
            await asyncio.sleep(0.05)


def check_counts(scrapes: tuple[Scrape, Scrape, Scrape], results: list[Result], model: FakeModel) -> None:
    producer, worker, sink = scrapes
    assert producer.value("qastream_files") == len(TEXTS) + 1
    assert producer.value("qastream_files_rejected_total") == 1
    assert producer.value("qastream_dead_letters_total", reason="binary") == 1
    by_status = Counter(result.status for result in results)
    assert by_status[Status.FAILED] == 1
    for status, count in by_status.items():
        assert worker.value("qastream_chunks_total", status=status) == count
    assert worker.value("qastream_dead_letters_total", reason="refused") == 1
    pairs, rejected = sum(len(result.pairs) for result in results), sum(len(result.rejected) for result in results)
    assert worker.value("qastream_pairs_total", outcome="accepted") == pairs
    assert worker.value("qastream_pairs_total", outcome="rejected") == rejected
    assert worker.value("qastream_pairs_total", type="factual") == pairs + rejected > 0
    assert worker.value("qastream_model_calls_total", endpoint=model.url) == sum(model.calls.values())
    assert worker.value("qastream_tokens_total", kind="prompt") == sum(r.usage.prompt_tokens for r in results)
    assert worker.value("qastream_tokens_total", kind="completion") == sum(r.usage.completion_tokens for r in results)
    assert worker.value("qastream_cache_lookups_total", result="miss") == len(model.calls)
    assert worker.value("qastream_chunk_seconds_count") == len(results)
    assert worker.value("qastream_model_up") == 1
    assert worker.value("qastream_model_limit") >= 1
    assert worker.value("qastream_partitions_assigned") == 3
    assert worker.value("qastream_chunks_in_hand") == 0
    assert worker.value("qastream_transactions_total", outcome="committed") >= 1
    assert sink.value("qastream_results_written_total") == len(results)
    assert sink.value("qastream_written_bytes_total") > 1000
    assert all(said.value("qastream_ready") == 1 for said in scrapes)


def check_traces(collector: Collector, chunks: int) -> None:
    traces = {span.trace_id for span in collector.spans}
    assert len(traces) == len(TEXTS)
    ids = {span.span_id for span in collector.spans}
    assert all(span.parent_id in ids for span in collector.spans if span.name != "publish")
    names = Counter((span.process, span.name) for span in collector.spans)
    assert names["qastream-worker", "answer chunk"] == names["qastream-sink", "write result"] == chunks
    assert 0 < names["qastream-worker", "model call"] <= chunks
    for trace in traces:
        assert {"publish", "answer chunk", "model call", "write result"} == {
            span.name for span in collector.spans if span.trace_id == trace
        }
    assert not any(b"Plutonium" in body or b"Plutonium" in _unpacked(body) for body in collector.bodies)


def _unpacked(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


async def test_a_worker_is_ready_without_a_model_and_not_without_a_broker(tmp_path: Path) -> None:
    model = FakeModel()
    with Broker(data_dir=tmp_path / "kafka") as broker:
        async with model.serve():
            settings = with_port(
                load_settings(
                    {
                        "bootstrap_servers": broker.bootstrap_servers,
                        "model_urls": model.url,
                        "cache": False,
                        "drain_s": 0,
                    }
                )
            )
        await ensure_topics(settings.kafka)  # the model is away from here on
        stop = asyncio.Event()
        working = asyncio.create_task(work(settings, load_recipe("fast"), stop))
        try:
            await until(settings, lambda status, _: status == 200)
            assert (await scrape(settings)).value("qastream_model_up") == 0
            os.kill(broker.pid, signal.SIGSTOP)
            body = await until(settings, lambda status, body: status == 503 and "kafka" in body)
            assert "has answered for" in orjson.loads(body)["reasons"]["kafka"]
            assert await get(settings, "/livez") == (200, "alive\n")
            os.kill(broker.pid, signal.SIGCONT)
            await until(settings, lambda status, _: status == 200)
            async with model.serve(model.port):
                await publish(settings, [make_chunk("Text.")])
                async with asyncio.timeout(30):
                    while (await scrape(settings)).value("qastream_chunk_seconds_count") < 1:
                        await asyncio.sleep(0.05)
            broker.kill()
            await until(settings, lambda status, _: status == 503)
        finally:
            stop.set()
            await working
    assert await readiness(settings) == (0, "")


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """At the lowest level, as a process writes it."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    configure_logs(load_settings({"log_level": "debug"}).telemetry, process="test", stream=stream)
    yield stream
    logging.basicConfig(handlers=before, level=level, force=True)
