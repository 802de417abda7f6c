"""Each failure that a server can show, over real sockets, and what it is called here."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from chaos.fake_model import FakeModel, asking, completion
from configs.settings import load_settings
from inference.client import QueueSample, identify
from inference.errors import (
    MalformedError,
    OutageError,
    OverloadError,
    RefusedError,
    TimedOutError,
    TransientError,
    TruncatedError,
    WrongServerError,
)
from inference.openai_client import OpenAIClient

REQUEST = asking("some text")


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[OpenAIClient]:
    client = OpenAIClient(load_settings(environ={}).model, url)
    try:
        yield client
    finally:
        await client.close()


async def complete_with(script):
    async with FakeModel(script).serve() as server, client_of(server.url) as client:
        return await client.complete(REQUEST, timeout_s=5)


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
            await client.complete(REQUEST, timeout_s=5)


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
    async with server.serve(), client_of(server.url) as client:
        async with asyncio.timeout(30):
            while not server.aborted:  # the time may be over before the server has the request
                with pytest.raises(TimedOutError):
                    await client.complete(REQUEST, timeout_s=0.2)


async def test_which_outages_may_be_the_requests_fault():
    async def reset(request, body):
        request.transport.abort()

    for script, crashed in ((reset, True), (error(500, "EngineCore died"), True), (error(502), False)):
        with pytest.raises(OutageError) as outage:
            await complete_with(script)
        assert outage.value.crashed is crashed


async def test_the_root_of_the_model_and_the_queue_are_read():
    async with FakeModel().serve() as server, client_of(server.url) as client:
        assert await identify(client, "qwen-vllm") == "fake"
        assert await client.queue() is None
        server.queue = (3, 7)
        assert await client.queue() == QueueSample(3, 7)
        await client.probe("qwen-vllm", timeout_s=5)


async def test_unknown_model_is_the_users_mistake_and_names_what_there_is():
    async with FakeModel(model="extractive").serve() as server, client_of(server.url) as client:
        with pytest.raises(WrongServerError, match="extractive"):
            await identify(client, "qwen-vllm")


async def test_a_wrong_key_is_the_users_mistake():
    async with FakeModel(api_key="right").serve() as server, client_of(server.url) as client:
        with pytest.raises(WrongServerError, match="VLLM_API_KEY"):
            await identify(client, "qwen-vllm")


async def test_what_was_answered_before_the_cut_is_kept():
    async def script(request, body):
        return completion("half", finish="length", reasoning="thoughts")

    with pytest.raises(TruncatedError) as cut:
        await complete_with(script)
    assert (cut.value.partial.content, cut.value.partial.reasoning) == ("half", "thoughts")


async def test_a_port_that_speaks_no_http_is_said_to():
    async def shout(reader, writer):
        writer.write(b"SSH-2.0-OpenSSH\r\n" * 3)
        writer.close()

    other = await asyncio.start_server(shout, "127.0.0.1", 0)
    async with other, client_of(f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}/v1") as client:
        with pytest.raises((MalformedError, OutageError)):
            await client.complete(REQUEST, timeout_s=5)
