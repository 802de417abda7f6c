"""Against an echo in the broker's place: frames are passed on, and rules met."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chaos.proxy import Api, Cut, Proxy, Rule


def frame(api: Api, text: bytes = b"") -> bytes:
    body = struct.pack(">hhi", api, 3, 77) + text
    return struct.pack(">i", len(body)) + body


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]).serve() as serving:
        yield serving


@asynccontextmanager
async def client(proxy: Proxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_requests_go_through_whole_and_are_counted(proxy: Proxy):
    async with client(proxy) as (reader, writer):
        sent = frame(Api.FETCH, b"x" * 200_000) + frame(Api.END_TXN)
        writer.write(sent)
        assert await reader.readexactly(len(sent)) == sent
    assert (proxy.seen[Api.FETCH], proxy.seen[Api.END_TXN]) == (1, 1)


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
async def test_a_request_is_cut_as_often_as_the_rule_says(proxy: Proxy, cut: Cut):
    rule = proxy.add(Rule(Api.END_TXN, cut))
    async with client(proxy) as (reader, writer):
        writer.write(frame(Api.END_TXN))
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
    assert rule.fired.is_set()
    async with client(proxy) as (reader, writer):
        writer.write(frame(Api.END_TXN))
        assert await reader.readexactly(12) == frame(Api.END_TXN)


async def test_a_held_request_goes_on_when_it_is_let_go(proxy: Proxy):
    rule = proxy.add(Rule(Api.INIT_PRODUCER_ID, Cut.HOLD))
    async with client(proxy) as (reader, writer):
        writer.write(frame(Api.INIT_PRODUCER_ID))
        answer = asyncio.ensure_future(reader.readexactly(12))
        await rule.fired.wait()
        assert not answer.done()
        proxy.remove(rule)
        assert await answer == frame(Api.INIT_PRODUCER_ID)


async def test_an_answer_in_the_brokers_place_has_the_requests_correlation_id(proxy: Proxy):
    proxy.add(Rule(Api.OFFSET_FETCH, Cut.ANSWER, answer=lambda: b"body"))
    async with client(proxy) as (reader, writer):
        writer.write(frame(Api.OFFSET_FETCH))
        assert await reader.readexactly(12) == struct.pack(">ii", 8, 77) + b"body"


async def test_a_rule_may_be_about_some_requests_only(proxy: Proxy):
    rule = proxy.add(Rule(Api.METADATA, Cut.BEFORE, about=lambda request: b"this" in request))
    async with client(proxy) as (reader, writer):
        writer.write(frame(Api.METADATA, b"that"))
        assert await reader.readexactly(16)
    assert not rule.fired.is_set()


async def test_all_connections_are_reset_at_once(proxy: Proxy):
    async with client(proxy) as (one, to_one), client(proxy) as (other, to_other):
        for reader, writer in ((one, to_one), (other, to_other)):
            writer.write(frame(Api.FETCH))
            await reader.readexactly(12)
        assert proxy.reset_all() == 2
        for reader in (one, other):
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
