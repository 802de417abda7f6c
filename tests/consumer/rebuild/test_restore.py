"""Lost offsets on a real broker: the worker refuses to start, the command restores them, and all ends well."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiokafka.protocol.admin import DeleteGroupsRequest, DeleteRecordsRequest

from chaos.fake_model import FakeModel, text_of
from configs.settings import Settings
from consumer.rebuild.points import RebuildError, State
from consumer.rebuild.restore import look, restore
from messaging.connection import admin_client
from schemas import Result, TopicNames
from tests.support.chunks import doubled, make_chunk, publish, read_all

ROOT = Path(__file__).resolve().parents[3]
SLOW = "slow"


def environment(settings: Settings, model: FakeModel) -> dict[str, str]:
    return os.environ | {
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka.brokers,
        "VLLM_SERVER_URL": model.url,
        "QASTREAM_NAMESPACE": settings.kafka.namespace,
        "QASTREAM_CACHE": "false",
        "QASTREAM_DRAIN_S": "0",
        "QASTREAM_SESSION_TIMEOUT_MS": "6000",
    }


@asynccontextmanager
async def worker(settings: Settings, model: FakeModel) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "consumer", cwd=ROOT, env=environment(settings, model), stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def rebuild_offsets(settings: Settings, *flags: str) -> tuple[int, str]:
    """The command, as its user runs it: exit code and what it said."""
    command = (sys.executable, "-m", "consumer", "rebuild-offsets", "--namespace", settings.kafka.namespace, *flags)
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=os.environ | {"KAFKA_BOOTSTRAP_SERVERS": settings.kafka.brokers},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def results_of(settings: Settings, count: int) -> list[Result]:
    async with asyncio.timeout(60):
        while len(results := await read_all(settings, TopicNames(settings.kafka.namespace).results, Result)) < count:
            await asyncio.sleep(0.1)
    return results


async def delete_group(settings: Settings) -> None:
    """What a broker does to the offsets of a group that was idle for too long."""
    group = TopicNames(settings.kafka.namespace).group
    async with admin_client(settings.kafka) as admin:
        node = await admin.find_coordinator(group)
        response = await admin._send_request(DeleteGroupsRequest([group]), node)
        assert [code for _, code in response.results] == [0]


@pytest.fixture
async def model() -> AsyncIterator[FakeModel]:
    """Chunks whose text says "slow" are never answered."""

    async def script(request: web.Request, body: dict) -> None:
        if SLOW in text_of(body):
            await asyncio.Event().wait()

    async with FakeModel(script).serve() as serving:
        yield serving


async def half_done(settings: Settings, model: FakeModel) -> None:
    """Offsets gone, with holes among what is done: chunks that were slow, and one that is none."""
    texts = [f"{SLOW if n % 5 == 2 else 'quick'} chunk {n}" for n in range(50)]
    await publish(settings, [*(make_chunk(text, n) for n, text in enumerate(texts)), b"no chunk"])
    async with worker(settings, model):
        await results_of(settings, 40)
    await delete_group(settings)


async def test_lost_offsets_are_refused_restored_and_nothing_is_lost_or_doubled(make_settings, model: FakeModel):
    settings = make_settings()
    await half_done(settings, model)
    async with worker(settings, model) as refusing:
        _, err = await asyncio.wait_for(refusing.communicate(), 60)
        assert refusing.returncode == 1
        assert "rebuild-offsets" in err.decode()
        assert "Traceback" not in err.decode()

    code, text = await rebuild_offsets(settings)
    assert code == 0
    assert "--yes" in text
    assert all(each.needed for each in await look(settings.kafka) if each.done)
    code, text = await rebuild_offsets(settings, "--yes")
    assert code == 0, text
    assert "restored" in text
    assert {each.state for each in await look(settings.kafka)} <= {State.RIGHT, State.UNUSED}

    model.script = None
    model.calls.clear()
    async with worker(settings, model):
        results = await results_of(settings, 50)
    assert not doubled([result.record_id for result in results])
    assert sum(model.calls.values()) == 10  # the slow ones, and no other


async def test_offsets_in_use_are_left_alone(make_settings, model: FakeModel):
    settings = make_settings()
    await publish(settings, [make_chunk("quick")])
    async with worker(settings, model):
        await results_of(settings, 1)
        for work in (look, restore):
            with pytest.raises(RebuildError, match="Stop all workers"):
                await work(settings.kafka)


async def test_results_that_are_not_complete_restore_nothing(make_settings, model: FakeModel):
    settings = make_settings(partitions=1)
    await half_done(settings, model)
    results = TopicNames(settings.kafka.namespace).results
    async with admin_client(settings.kafka) as admin:
        request = DeleteRecordsRequest([(results, [(0, 5)])], 10_000)
        await admin._send_request(request)
    with pytest.raises(RebuildError, match="deleted"):
        await look(settings.kafka)
