"""Each failure that a server can show, over real sockets, and what it is called here."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from configs.settings import load_settings
from consumer.worker.errors import (
    MalformedError,
    OutageError,
    OverloadError,
    RefusedError,
    TransientError,
    TruncatedError,
    WorkerError,
)
from consumer.worker.model import ModelClient, make_endpoints
from tests.fake_model import FakeModel, completion

BODY = {"model": "qwen-vllm", "messages": [{"role": "user", "content": "<text>\nsome text\n</text>"}]}


@asynccontextmanager
async def client_of(*urls: str, timeout_s: float = 5.0):
    settings = load_settings({"model_urls": urls})
    endpoints = make_endpoints(settings)
    try:
        yield ModelClient(endpoints, model="qwen-vllm", timeout_s=timeout_s)
    finally:
        for endpoint in endpoints:
            await endpoint.client.close()


async def complete_with(script, *, timeout_s: float = 5.0):
    async with FakeModel(script).serve() as server, client_of(server.url, timeout_s=timeout_s) as client:
        return await client.complete(BODY)


def error(status: int, message: str = "no", **headers: str):
    async def script(request, body):
        return web.json_response({"error": {"message": message}}, status=status, headers=headers)

    return script


async def test_an_answer():
    async def script(request, body):
        return completion("hello")

    answer = await complete_with(script)
    assert (answer.content, answer.prompt_tokens, answer.completion_tokens) == ("hello", 10, 5)


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (400, "too long", RefusedError),
        (413, "", RefusedError),
        (422, "bad schema", RefusedError),
        (401, "key", OutageError),
        (404, "no such model", OutageError),
        (408, "", TransientError),
        (429, "", OverloadError),
        (500, "boom", TransientError),
        (500, "EngineCore encountered an issue", OutageError),
        (502, "", OutageError),
        (503, "", OverloadError),
        (504, "", TransientError),
    ],
)
async def test_statuses(status: int, message: str, expected: type[Exception]):
    with pytest.raises(expected):
        await complete_with(error(status, message))


async def test_retry_after_is_kept():
    with pytest.raises(OverloadError) as overload:
        await complete_with(error(503, **{"Retry-After": "7"}))
    assert overload.value.retry_after_s == 7


@pytest.mark.parametrize(
    ("finish", "expected"), [("length", TruncatedError), ("abort", OutageError), ("content_filter", MalformedError)]
)
async def test_finish_reasons(finish: str, expected: type[Exception]):
    async def script(request, body):
        return completion("half", finish=finish)

    with pytest.raises(expected):
        await complete_with(script)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"choices": []}', b"[1]", b"null", b'"x"', b"\xff\xfe", b""])
async def test_garbage_with_status_200(body: bytes):
    async def script(request, _):
        return web.Response(body=body, content_type="application/json")

    with pytest.raises(MalformedError):
        await complete_with(script)


async def test_refused_connection_is_an_outage():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with client_of(f"http://127.0.0.1:{port}/v1") as client:
        with pytest.raises(OutageError):
            await client.complete(BODY)


async def test_a_reset_in_mid_request_is_an_outage():
    async def script(request, body):
        request.transport.abort()

    with pytest.raises(OutageError):
        await complete_with(script)


async def test_a_connection_closed_in_mid_answer_is_an_outage():
    async def script(request, body):
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"choices"')
        request.transport.close()
        return response

    with pytest.raises(OutageError):
        await complete_with(script)


async def test_no_answer_in_time_is_transient_and_aborts_the_request():
    async def script(request, body):
        await asyncio.Event().wait()

    server = FakeModel(script)
    async with server.serve(), client_of(server.url, timeout_s=0.2) as client:
        with pytest.raises(TransientError):
            await client.complete(BODY)
        async with asyncio.timeout(5):
            while not server.aborted:
                await asyncio.sleep(0.01)


async def test_the_root_of_the_model_is_learnt_and_asked_again_after_an_outage():
    server = FakeModel()
    async with server.serve():
        port = server.port
        async with client_of(server.url) as client:
            assert await client.root() == "fake"
            server.root = "another"
            assert await client.root() == "fake"
            server.script = error(502)
            with pytest.raises(OutageError):
                await client.complete(BODY)
            assert await client.root() == "another"
    assert port


async def test_unknown_model_is_the_users_mistake_and_names_what_there_is():
    async with FakeModel(model="extractive").serve() as server, client_of(server.url) as client:
        with pytest.raises(WorkerError, match="extractive"):
            await client.root()


async def test_endpoints_with_different_models_are_refused():
    one, other = FakeModel(), FakeModel()
    other.root = "something else"
    async with one.serve(), other.serve(), client_of(one.url, other.url) as client:
        with pytest.raises(WorkerError, match="different models"):
            await client.root()


async def test_calls_go_to_the_endpoint_with_the_fewest_under_way():
    one, other = FakeModel(latency_s=0.05), FakeModel(latency_s=0.05)
    async with one.serve(), other.serve(), client_of(one.url, other.url) as client:
        await asyncio.gather(*(client.complete(BODY) for _ in range(20)))
    assert sum(one.calls.values()) == sum(other.calls.values()) == 10


async def test_a_dead_endpoint_costs_throughput_not_results():
    one, other = FakeModel(), FakeModel(error(502))
    async with one.serve(), other.serve(), client_of(other.url, one.url) as client:
        with pytest.raises(OutageError):
            await client.complete(BODY)
        for _ in range(5):
            await client.complete(BODY)
    assert sum(one.calls.values()) == 5
