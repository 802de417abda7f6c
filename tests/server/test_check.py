"""Against real servers: the embedded one, and sockets that are no model server."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from configs.sections import ModelSettings
from configs.settings import load_settings
from server import check
from server.check import QUESTION, ask, shown
from server.embedded.app import EmbeddedOptions, serve
from server.errors import CheckError
from server.ports import free_port


def settings(**more: object) -> ModelSettings:
    return load_settings({"model_name": "extractive", "timeout_s": 5} | more, environ={}).model


async def failure(url: str, **more: object) -> CheckError:
    with pytest.raises(CheckError) as caught:
        await ask(settings(**more), url)
    return caught.value


@contextmanager
def says(answer: bytes | None) -> Iterator[str]:
    """A server that reads a little, then says this and hangs up; or, for None, says nothing."""
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve_one() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(1000)
            if answer is None:
                over.wait(30)
            else:
                connection.sendall(answer)

    thread = threading.Thread(target=serve_one, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
    finally:
        over.set()
        server.close()


async def test_a_server_that_answers():
    async with serve(EmbeddedOptions()) as url:
        assert "抽取" in await ask(settings(), url)


async def test_nothing_listens():
    found = await failure(f"http://127.0.0.1:{free_port('127.0.0.1')}/v1")
    assert "refused" in str(found)
    assert "默认8000" in found.advice


async def test_a_wrong_key():
    async with serve(EmbeddedOptions(api_key="right")) as url:
        found = await failure(url, api_key="wrong-key")
    assert "API key" in str(found)
    assert "VLLM_API_KEY" in found.advice
    assert "wrong-key" not in str(found) + found.advice


async def test_no_such_model_names_those_there_are():
    async with serve(EmbeddedOptions(served=("a", "b"))) as url:
        assert "serves a, b" in str(await failure(url))


async def test_a_url_without_v1_is_no_openai_server():
    async with serve(EmbeddedOptions()) as url:
        found = await failure(url.removesuffix("/v1"))
    assert "OpenAI" in str(found)
    assert "/v1" in found.advice


@pytest.mark.parametrize("answer", [b"+PONG\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"])
async def test_something_else_on_that_port(answer: bytes):
    with says(answer) as url:
        assert "OpenAI" in str(await failure(url))


async def test_an_answer_that_takes_too_long():
    with says(None) as url:
        found = await failure(url, timeout_s=2)
    assert "no answer within 2 s" in str(found)
    assert "max_tokens" in found.advice


async def test_a_host_that_is_not_there():
    assert "host name not found" in str(await failure("http://no-such-host.invalid:8000/v1"))


def test_the_guides_words_on_success(monkeypatch, capsys):
    async def main() -> int:
        async with serve(EmbeddedOptions()) as url:
            return await check.check_all(settings(model_urls=url))

    assert asyncio.run(main()) == 0
    first, question, answer = capsys.readouterr().out.splitlines()
    assert (first, question) == ("成功连接到vLLM服务器", f"Question: {QUESTION}")
    assert answer.startswith("Answer: ")


def test_the_guides_words_on_failure(capsys):
    assert check.main(["--base-url", f"http://127.0.0.1:{free_port('127.0.0.1')}/v1"]) == 1
    assert capsys.readouterr().out.startswith("无法连接到vLLM服务器\n")


def test_a_password_in_the_url_is_not_shown():
    assert shown("http://me:secret@host:8000/v1") == "http://host:8000/v1"
