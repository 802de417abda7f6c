"""Over HTTP, with the client that the pipeline uses and by hand."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from openai import AsyncOpenAI, DefaultAioHttpClient

from chaos.waiting import eventually
from server.embedded.app import EmbeddedOptions, serve
from server.embedded.request_log import RequestLog
from server.errors import ServerError
from server.ports import free_port
from tests.server.embedded.test_pair_format import schema

ROOT = Path(__file__).resolve().parents[3]
TEXT = "<text>\n光刻是一种工艺。\n</text>\n\n提问。"


@asynccontextmanager
async def client(key: str = "", **options: Any) -> AsyncIterator[AsyncOpenAI]:
    async with (
        serve(EmbeddedOptions(**options)) as url,
        AsyncOpenAI(
            base_url=url, api_key=key or "none", max_retries=0, http_client=DefaultAioHttpClient()
        ) as openai_client,
    ):
        yield openai_client


async def ask(to: AsyncOpenAI, content: str = TEXT, **more: Any) -> Any:
    return await to.chat.completions.create(
        **{"model": "extractive", "messages": [{"role": "user", "content": content}]} | more
    )


def asked_schema() -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "pairs", "schema": schema()}}


async def metrics(of: AsyncOpenAI) -> dict[str, float]:
    async with aiohttp.ClientSession() as session, session.get(str(of.base_url.join("/metrics"))) as response:
        lines = (await response.text()).splitlines()
    return {
        line.split("{")[0] + line.partition("finished")[2].partition("}")[0]: float(line.split()[-1])
        for line in lines
        if line[0] != "#"
    }


async def test_pairs_by_schema():
    async with client() as api:
        reply = await ask(api, response_format=asked_schema())
    (pair,) = json.loads(reply.choices[0].message.content)["pairs"]
    assert pair["question"] == "什么是光刻？"
    assert reply.model == "extractive"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens > 0


async def test_pairs_as_any_json():
    async with client() as api:
        reply = await ask(api, response_format={"type": "json_object"})
    assert json.loads(reply.choices[0].message.content)["pairs"][0]["evidence"] == ["光刻是一种工艺。"]


async def test_a_question_without_a_text_gets_an_honest_answer_in_its_language():
    async with client() as api:
        chinese = await ask(api, "什么是半导体？")
        english = await ask(api, "What is a semiconductor?")
    assert "抽取" in chinese.choices[0].message.content
    assert "extractive" in english.choices[0].message.content


async def test_free_text_is_cut_at_max_tokens():
    async with client() as api:
        reply = await ask(api, "What?", max_tokens=3)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 3


async def test_its_models():
    async with client(served=("extractive", "qwen-vllm")) as api:
        models = [model async for model in await api.models.list()]
        assert (await ask(api, model="qwen-vllm")).model == "extractive"
    assert [(model.id, model.root) for model in models] == [("extractive", "extractive"), ("qwen-vllm", "extractive")]


@pytest.mark.parametrize(
    ("more", "error", "param"),
    [
        ({"model": "gpt"}, openai.NotFoundError, "model"),
        ({"stream": True}, openai.BadRequestError, "stream"),
        ({"n": 2}, openai.BadRequestError, "n"),
        ({"max_tokens": 0}, openai.BadRequestError, "max_tokens"),
        ({"messages": []}, openai.BadRequestError, "messages"),
        ({"response_format": {"type": "grammar"}}, openai.BadRequestError, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, openai.BadRequestError, "response_format.json_schema.schema"),
    ],
)
async def test_what_it_does_not_do_is_refused_as_openai_does(more: dict[str, Any], error: type, param: str):
    async with client() as api:
        with pytest.raises(error) as caught:
            await ask(api, **more)
    assert caught.value.param == param


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"[]", 400), (b"x" * (9 * 1024**2), 413)])
async def test_a_body_that_is_none_is_refused(body: bytes, status: int):
    async with (
        serve(EmbeddedOptions()) as url,
        aiohttp.ClientSession() as session,
        session.post(f"{url}/chat/completions", data=body) as response,
    ):
        assert response.status == status
        assert (await response.json())["error"]["code"] == status


async def test_the_key_is_asked_for_under_v1_only():
    async with client(key="wrong", api_key="right") as api:
        with pytest.raises(openai.AuthenticationError):
            await ask(api)
        assert (await metrics(api))["vllm:num_requests_running"] == 0
    async with client(key="right", api_key="right") as api:
        await ask(api)


async def test_slots_are_held_for_the_latency_and_others_wait():
    async with client(latency_ms=60_000, max_num_seqs=1) as api:
        calls = [asyncio.create_task(ask(api)) for _ in range(3)]
        while (await metrics(api))["vllm:num_requests_waiting"] != 2:
            await asyncio.sleep(0)
        assert (await metrics(api))["vllm:num_requests_running"] == 1
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        while (await metrics(api))["vllm:num_requests_running"]:  # clients that go free their slots
            await asyncio.sleep(0)


async def test_answers_are_counted():
    async with client() as api:
        await ask(api)
        await ask(api)
        counted = await metrics(api)
    assert counted['vllm:request_success_total_reason="stop"'] == 2
    assert counted["vllm:generation_tokens_total"] > 0


async def test_only_accepted_requests_are_logged(tmp_path: Path):
    async with client(request_log=RequestLog(tmp_path / "log")) as api:
        with pytest.raises(openai.NotFoundError):
            await ask(api, model="gpt")
        await ask(api)
    assert len((tmp_path / "log").read_text().splitlines()) == 1


async def test_a_taken_port_is_an_error():
    async with serve(EmbeddedOptions()) as url:
        port = int(url.split(":")[2].removesuffix("/v1"))
        with pytest.raises(ServerError, match="give another --port"):
            async with serve(EmbeddedOptions(), port=port):
                pass


def test_the_command_says_where_it_is_and_ends_with_0(tmp_path: Path):
    ready, port = tmp_path / "ready.json", free_port("127.0.0.1")
    command = [sys.executable, "-m", "server", "embedded", "--port", str(port), "--ready-file", str(ready)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    eventually(lambda: ready.exists() or process.poll() is not None)
    assert json.loads(ready.read_text()) == {"base_url": f"http://127.0.0.1:{port}/v1", "pid": process.pid}
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}/v1" in out
    assert not ready.exists()
