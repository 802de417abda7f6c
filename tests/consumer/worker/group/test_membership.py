"""Workers are members of a real consumer group. Their model server does what each test needs."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import OffsetAndMetadata

from chaos.fake_model import FakeModel, completion, stage_of
from configs.recipe import load_recipe
from configs.settings import Settings, load_settings
from consumer.rebuild.restore import restore
from consumer.worker import app, chunk_handler
from consumer.worker.errors import OffsetsLostError
from consumer.worker.group.client import GroupClient
from consumer.worker.group.membership import Membership
from consumer.worker.model.sqlite_cache import SqliteCache
from messaging.connection import admin_client, make_transactional_producer
from messaging.topics import ensure_topics
from schemas import DeadLetter, Result, Status, TopicNames
from server.broker.node import Broker
from telemetry.metrics import WorkerMetrics
from telemetry.telemetry import unseen
from tests.consumer.worker.group.stand_ins import NeverHandles
from tests.support.chunks import doubled, make_chunk, publish, read_all

CALLS = 2
"""Calls that one worker may have under way."""


@asynccontextmanager
async def working(settings: Settings, recipe: str = "fast") -> AsyncIterator[asyncio.Event]:
    """Runs a worker in this process. Set the event, or leave the context, to stop it as SIGTERM would."""
    stop = asyncio.Event()
    task = asyncio.create_task(app.work(settings, load_recipe(recipe), stop))
    try:
        yield stop
    finally:
        stop.set()
        await task


async def results_of(settings: Settings, count: int) -> list[Result]:
    """Waits until `count` results are committed, and returns them."""
    async with asyncio.timeout(60):
        while True:
            results = await read_all(settings, TopicNames(settings.kafka.namespace).results, Result)
            if len(results) >= count:
                return results
            await asyncio.sleep(0.1)


async def letters_of(settings: Settings) -> list[DeadLetter]:
    return await read_all(settings, TopicNames(settings.kafka.namespace).dead_letters, DeadLetter)


@pytest.fixture
def settings_for(make_settings):
    def make(server: FakeModel, **more) -> Settings:
        return make_settings(model_urls=server.url, cache=False, session_timeout_ms=6000, drain_s=1, **more)

    return make


async def test_every_chunk_has_one_result_and_a_restart_adds_none(settings_for):
    chunks = [make_chunk(f"Text {i}.", i) for i in range(200)]
    async with FakeModel(latency_s=0.005).serve() as server:
        settings = settings_for(server)
        await publish(settings, chunks)
        async with working(settings):
            results = await results_of(settings, 200)
        async with working(settings):
            await publish(settings, [make_chunk("One more.", 200)])
            results = await results_of(settings, 201)
    assert doubled([result.record_id for result in results]) == []
    assert {result.chunk.id for result in results} == {c.chunk_id for c in chunks} | {make_chunk("", 200).chunk_id}
    assert sum(server.calls.values()) == 201


async def test_a_slow_chunk_delays_no_other_of_its_partition_and_is_not_lost(settings_for):
    gate = asyncio.Event()

    async def script(request, body):
        if "slow" in body["messages"][-1]["content"]:
            await gate.wait()

    chunks = [make_chunk("slow.", 0), *(make_chunk(f"Text {i}.", i) for i in range(1, 50))]
    async with FakeModel(script).serve() as server:
        settings = settings_for(server)
        await publish(settings, chunks, partition=0)
        async with working(settings):
            assert len(await results_of(settings, 49)) == 49
        async with working(settings):  # the fifty are not run again, the slow one is
            while server.calls["slow."] < 2:
                await asyncio.sleep(0.01)
            gate.set()
            results = await results_of(settings, 50)
    assert doubled([result.record_id for result in results]) == []
    assert {text: count for text, count in server.calls.items() if count > 1} == {"slow.": 2}


async def test_members_come_and_go_without_loss_or_double(settings_for):
    async with FakeModel(latency_s=0.02).serve() as server:
        settings = settings_for(server, concurrency=8)
        await publish(settings, [make_chunk(f"Text {i}.", i) for i in range(400)])
        async with working(settings):
            await results_of(settings, 20)
            async with working(settings):
                await results_of(settings, 200)
            async with working(settings):
                results = await results_of(settings, 400)
    assert len(results) == 400
    assert doubled([result.record_id for result in results]) == []


async def test_who_loses_a_chunk_between_its_stages_makes_no_more_calls_for_it(make_settings, tmp_path):
    """Given calls under way and calls that wait for them, when another worker joins, only the former are repeated."""
    asked: Counter[str] = Counter()
    first, joined = asyncio.Event(), asyncio.Event()

    async def script(request, body):
        asked[json.dumps(body, sort_keys=True)] += 1
        if stage_of(body) == "questions" and not joined.is_set():
            if asked.total() == CALLS:
                first.set()
            await joined.wait()

    async with FakeModel(script).serve() as server:
        settings = make_settings(
            model_urls=server.url, concurrency=CALLS, session_timeout_ms=6000, cache_path=tmp_path / "cache.sqlite"
        )
        await publish(settings, [make_chunk(f"Copper line {i} replaced aluminium. " * 30, i) for i in range(16)])
        async with working(settings, "standard"):
            await first.wait()
            async with working(settings, "standard"):
                async with asyncio.timeout(60):
                    while server.under_way < 2 * CALLS:
                        await asyncio.sleep(0.01)
                joined.set()
                results = await results_of(settings, 16)
    assert doubled([result.record_id for result in results]) == []
    assert {result.status for result in results} == {Status.OK}
    assert asked.total() - len(asked) <= CALLS


async def test_what_can_not_be_decoded_becomes_a_letter_and_no_loop(settings_for):
    async with FakeModel().serve() as server:
        settings = settings_for(server)
        await publish(settings, [b"\xff not a chunk", b"{}", b"", make_chunk("Good.")], partition=0)
        async with working(settings):
            assert len(await results_of(settings, 1)) == 1
            letters = await letters_of(settings)
    assert [letter.error_class for letter in letters] == ["undecodable"] * 3
    assert len({letter.letter_id for letter in letters}) == 3


async def test_a_failure_is_a_result_and_a_letter_in_one_transaction(settings_for):
    async def script(request, body):
        if "bad" in body["messages"][-1]["content"]:
            return web.json_response({"error": {"message": "too long"}}, status=400)
        return None

    async with FakeModel(script).serve() as server:
        settings = settings_for(server)
        await publish(settings, [make_chunk("bad.", 0), make_chunk("good.", 1)])
        async with working(settings):
            results = await results_of(settings, 2)
        letters = await letters_of(settings)
    assert sorted(result.status for result in results) == [Status.FAILED, Status.OK]
    (letter,) = letters
    assert (letter.kind, letter.error_class, letter.chunk_id) == ("chunk", "refused", make_chunk("", 0).chunk_id)


async def test_a_result_that_no_broker_would_take_is_a_failure_too(settings_for, monkeypatch):
    monkeypatch.setattr(chunk_handler, "MAX_RESULT_BYTES", 4000)

    async def script(request, body):
        pair = {"type": "open", "question": "Q?", "answer": "A" * 500, "reasoning": "", "evidence": ["Text"]}
        return completion(__import__("json").dumps({"pairs": [pair] * 30}))

    async with FakeModel(script).serve() as server:
        settings = settings_for(server)
        await publish(settings, [make_chunk("Text.")])
        async with working(settings):
            (result,) = await results_of(settings, 1)
        (letter,) = await letters_of(settings)
    assert (result.status, result.error.error_class, letter.error_class) == (Status.FAILED, "too_large", "too_large")


async def test_stopping_aborts_the_calls_that_did_not_finish_in_time(settings_for):
    async def script(request, body):
        await asyncio.Event().wait()

    async with FakeModel(script).serve() as server:
        settings = settings_for(server)
        await publish(settings, [make_chunk(f"Text {i}.", i) for i in range(5)])
        async with working(settings):
            while server.under_way < 5:
                await asyncio.sleep(0.01)
        while server.under_way:
            await asyncio.sleep(0.01)
    assert sum(server.aborted.values()) == 5


async def test_a_model_server_that_is_away_is_waited_for_and_fails_nothing(settings_for):
    server = FakeModel()
    async with server.serve():
        settings, port = settings_for(server), server.port
    await publish(settings, [make_chunk(f"Text {i}.", i) for i in range(20)])
    async with working(settings):
        await asyncio.sleep(0.5)
        async with server.serve(port):
            await results_of(settings, 10)
        async with server.serve(port):
            results = await results_of(settings, 20)
    assert {result.status for result in results} == {Status.OK}


@pytest.mark.parametrize(("offset", "metadata"), [(10_000, ""), (0, "9;strange"), (0, "")])
async def test_offsets_that_are_lost_or_reset_stop_the_worker_until_they_are_rebuilt(settings_for, offset, metadata):
    async with FakeModel().serve() as server:
        settings = settings_for(server)
        await publish(settings, [make_chunk(f"Text {i}.", i) for i in range(30)])
        async with working(settings):
            await results_of(settings, 30)
        await _commit_everywhere(settings, OffsetAndMetadata(offset, metadata))
        with pytest.raises(OffsetsLostError, match="rebuild-offsets"):
            async with working(settings) as stop, asyncio.timeout(30):
                while not stop.is_set():
                    await asyncio.sleep(0.05)
        await restore(settings.kafka)
        async with working(settings):
            await publish(settings, [make_chunk("One more.", 30)])
            results = await results_of(settings, 31)
    assert doubled([result.record_id for result in results]) == []


async def test_chunks_that_were_removed_before_a_worker_came_are_said(settings_for, caplog):
    async with FakeModel().serve() as server:
        settings = settings_for(server)
        await publish(settings, [make_chunk(f"Text {i}.", i) for i in range(5)], partition=0)
        place = TopicPartition(TopicNames(settings.kafka.namespace).chunks, 0)
        async with admin_client(settings.kafka) as admin:
            await admin.delete_records({place: RecordsToDelete(before_offset=3)})
        async with working(settings):
            assert len(await results_of(settings, 2)) == 2
    assert "partition 0 of" in caplog.text
    assert "up to offset 2, before a worker read them" in caplog.text
    assert "producer regenerate" in caplog.text


async def _commit_everywhere(settings: Settings, point: OffsetAndMetadata) -> None:
    names = TopicNames(settings.kafka.namespace)
    producer = make_transactional_producer(settings.kafka, "meddler")
    await producer.start()
    async with producer.transaction():
        offsets = {TopicPartition(names.chunks, number): point for number in range(settings.kafka.partitions)}
        await producer.send_offsets_to_transaction(offsets, names.group)
    await producer.stop()


async def test_it_stops_although_the_broker_is_gone_for_good(tmp_path):
    gate = asyncio.Event()

    async def script(request, body):
        await gate.wait()

    async with FakeModel(script).serve() as server:
        with Broker(data_dir=tmp_path / "kafka") as broker:
            settings = load_settings(
                {"bootstrap_servers": broker.bootstrap_servers, "model_urls": server.url, "cache": False, "drain_s": 1}
            )
            await publish(settings, [make_chunk(f"Text {i}.", i) for i in range(20)])
            async with asyncio.timeout(90), working(settings) as stop:
                while server.under_way < 20:
                    await asyncio.sleep(0.01)
                broker.kill()
                gate.set()
                while server.under_way:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(1)  # its commits are waiting for the broker by now
                stop.set()


async def test_it_stops_although_it_has_not_joined_yet(settings_for):
    """Given a stop while the topic is being looked up: nothing is subscribed to, and a poll would wait for ever."""

    settings = settings_for(FakeModel())
    await ensure_topics(settings.kafka)
    client = GroupClient(settings.kafka, session_timeout_ms=6000)
    await client.consumer.start()
    slow = NeverHandles(finish_s=0.2)  # longer than it takes to begin a poll
    membership = Membership(client, slow, unseen(WorkerMetrics), settings.worker, servers=1)
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(60):
        await membership.run(stop)
    await client.leave()


async def test_a_worker_that_stops_finishes_its_calls_and_begins_no_more(make_settings):
    async with FakeModel(latency_s=2).serve() as server:
        settings = make_settings(model_urls=server.url, cache=False, concurrency=4, drain_s=60)
        await publish(settings, [make_chunk(f"Text {i}.", i) for i in range(40)])
        async with working(settings):
            async with asyncio.timeout(60):
                while not server.calls:
                    await asyncio.sleep(0.01)
        begun = sum(server.calls.values())
    assert begun <= 4
    assert len(await results_of(settings, begun)) == begun


@asynccontextmanager
async def told_to_stop(
    make_settings, tmp_path, chunks: int
) -> AsyncIterator[tuple[Settings, FakeModel, asyncio.Event]]:
    """Tells a worker to stop while four calls wait for the event. It has ended when the context is left."""
    gate = asyncio.Event()

    async def script(request, body):
        await gate.wait()

    async with FakeModel(script).serve() as server, asyncio.timeout(90):
        settings = make_settings(model_urls=server.url, concurrency=4, drain_s=60, cache_path=tmp_path / "cache.sqlite")
        await publish(settings, [make_chunk(f"Text {i}.", i) for i in range(chunks)])
        async with working(settings) as stop:
            while server.under_way < 4:
                await asyncio.sleep(0.01)
            stop.set()
            yield settings, server, gate


async def test_answers_that_have_come_when_a_worker_stops_become_results(make_settings, tmp_path, monkeypatch):
    """Given a slow cache, the answers still become results."""
    put = SqliteCache.put

    async def slowly(cache, key, value):
        await asyncio.sleep(0.5)
        await put(cache, key, value)

    monkeypatch.setattr(SqliteCache, "put", slowly)
    async with told_to_stop(make_settings, tmp_path, 4) as (settings, _, gate):
        gate.set()
    assert len(await read_all(settings, TopicNames(settings.kafka.namespace).results, Result)) == 4


async def test_a_rebalance_while_a_worker_stops_breaks_off_none_of_its_calls(make_settings, tmp_path):
    stopping = told_to_stop(make_settings, tmp_path, 40)
    async with stopping as (settings, server, gate), working(settings):  # which takes half of its partitions away
        while server.under_way < 8:
            await asyncio.sleep(0.01)
        gate.set()
        await results_of(settings, 40)
    assert not server.aborted
