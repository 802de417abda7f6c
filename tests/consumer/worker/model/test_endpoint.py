"""Each failure that a server can show, over real sockets, and what it is called here."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from configs.settings import load_settings
from consumer.worker.model.controller import QueueSample
from consumer.worker.model.endpoint import Endpoint, Pace, parse_queue
from inference.errors import (
    MalformedError,
    OutageError,
    OverloadError,
    RefusedError,
    TransientError,
    TruncatedError,
    WrongServerError,
)
from tests.fake_model import FakeModel, asking, completion
from tests.support.settings import endpoints_of

REQUEST = asking("some text")


@asynccontextmanager
async def client_of(url: str, *, timeout_s: float = 5.0) -> AsyncIterator[Endpoint]:
    (endpoint,) = endpoints_of(load_settings({"model_urls": url, "timeout_s": timeout_s}))
    try:
        yield endpoint
    finally:
        await endpoint.close()


async def complete_with(script, *, timeout_s: float = 5.0):
    async with FakeModel(script).serve() as server, client_of(server.url, timeout_s=timeout_s) as client:
        return await client.complete(REQUEST)


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
            await client.complete(REQUEST)


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
        async with asyncio.timeout(30):
            while not server.aborted:  # the time may be over before the server has the request
                with pytest.raises(TransientError):
                    await client.complete(REQUEST)


async def test_which_outages_may_be_the_requests_fault():
    async def reset(request, body):
        request.transport.abort()

    for script, crashed in ((reset, True), (error(500, "EngineCore died"), True), (error(502), False)):
        with pytest.raises(OutageError) as outage:
            await complete_with(script)
        assert outage.value.crashed is crashed


async def test_the_root_of_the_model_and_the_queue_are_read():
    async with FakeModel().serve() as server, client_of(server.url) as endpoint:
        assert await endpoint.identify() == "fake"
        assert await endpoint.queue() is None
        server.queue = (3, 7)
        assert await endpoint.queue() == QueueSample(3, 7)
        await endpoint.probe()


async def test_a_probe_is_bounded_and_gets_twice_as_long_when_none_came(monkeypatch):
    monkeypatch.setattr("consumer.worker.model.endpoint.PROBE_S", 0.05)
    async with FakeModel().serve() as server, client_of(server.url, timeout_s=0.15) as endpoint:
        server.engine_hangs = True
        for within in ("0.05", "0.1", "0.15", "0.15"):
            with pytest.raises(TransientError, match=f"within {within} s"):
                await endpoint.probe()
        server.engine_hangs = False
        endpoint._timeout_s = endpoint._probe_s = 30.0  # this one is to be in time
        await endpoint.probe()
        server.engine_hangs = True
        with pytest.raises(TransientError, match=r"within 0\.05 s"):
            await endpoint.probe()


async def test_unknown_model_is_the_users_mistake_and_names_what_there_is():
    async with FakeModel(model="extractive").serve() as server, client_of(server.url) as endpoint:
        with pytest.raises(WrongServerError, match="extractive"):
            await endpoint.identify()


def test_the_queue_is_the_sum_over_engines():
    text = """# HELP vllm:num_requests_running Number of requests
vllm:num_requests_running{engine="0",model_name="m {x}"} 2.0
vllm:num_requests_running{engine="1",model_name="m"} 3.0
vllm:num_requests_waiting{engine="0"} 4.0
vllm:num_requests_waiting_by_reason{reason="capacity"} 9.0
"""
    assert parse_queue(text) == QueueSample(5, 4)
    assert parse_queue("other 1.0") is None


def test_what_tokens_took_is_read_where_it_is_told():
    name = "vllm:inter_token_latency_seconds"
    text = f"""vllm:num_requests_running 2.0
vllm:num_requests_waiting 0.0
{name}_bucket{{engine="0",le="0.01"}} 7.0
{name}_count{{engine="0"}} 100.0
{name}_count{{engine="1"}} 50.0
{name}_sum{{engine="0"}} 1.5
{name}_sum{{engine="1"}} 0.5
"""
    assert parse_queue(text) == QueueSample(2, 0, tokens=150, tokens_s=2.0)


def test_a_hung_request_is_given_up_by_the_pace_that_was_seen():
    pace = Pace()
    assert pace.timeout_s(2000, most_s=3600) == 3600, "nothing seen yet"
    for _ in range(50):
        pace.answered(100, 2.0)
    assert pace.timeout_s(2000, most_s=3600) == pytest.approx(400)
    assert pace.timeout_s(2000, most_s=90) == 90, "the guide's timeout is the most"
    assert pace.timeout_s(10, most_s=3600) == Pace.LEAST_S


async def test_a_port_that_speaks_no_http_is_said_to():
    async def shout(reader, writer):
        writer.write(b"SSH-2.0-OpenSSH\r\n" * 3)
        writer.close()

    other = await asyncio.start_server(shout, "127.0.0.1", 0)
    async with other, client_of(f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}/v1") as client:
        with pytest.raises((MalformedError, OutageError)):
            await client.complete(REQUEST)
