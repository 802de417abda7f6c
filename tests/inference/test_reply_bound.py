"""What a model server must not be able to do to a worker: fill its memory, or pass for another server."""

import pytest
import trustme
from aiohttp import web

from chaos.fake_model import FakeModel, asking
from configs.errors import SettingsError
from configs.settings import load_settings
from inference import reply_bound
from inference.errors import MalformedError, OutageError, RefusedError
from inference.openai_client import OpenAIClient

PROMPT = "A prompt that is long enough to be recognised."
REQUEST = asking(PROMPT)


async def ask(model, **settings):
    client = OpenAIClient(load_settings(settings).model, model.url)
    try:
        await client.models()
        return await client.complete(REQUEST, timeout_s=600)
    finally:
        await client.close()


def replying(text, **headers):
    async def script(request, body):
        return web.Response(body=text, content_type="application/json", headers=headers)

    return FakeModel(script)


async def test_a_reply_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(reply_bound, "MAX_REPLY_BYTES", 2000)

    async def endless(request, body):
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(b" " * 1000)

    async with FakeModel(endless).serve() as model:
        with pytest.raises(MalformedError, match="over 2000 bytes"):
            await ask(model)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"choices": ' * 100_000, b"1" * 10_000])
async def test_depth_and_length_of_json_are_bounded(text):
    async with replying(text).serve() as model:
        with pytest.raises(MalformedError):
            await ask(model)


async def test_a_compressed_reply_was_not_asking():
    async with replying(b"x", **{"Content-Encoding": "gzip"}).serve() as model:
        with pytest.raises(MalformedError, match="compressed"):
            await ask(model)


async def test_huge_headers_are_refused():
    async with replying(b"{}", **{"X-Huge": "x" * 100_000}).serve() as model:
        with pytest.raises((MalformedError, OutageError)):
            await ask(model)


async def test_an_error_message_that_repeats_the_prompt_is_left_out():
    async def refuse(request, body):
        return web.json_response({"error": {"message": f"too long: {PROMPT}"}}, status=400)

    async with FakeModel(refuse).serve() as model:
        with pytest.raises(RefusedError) as caught:
            await ask(model)
    assert "repeats the prompt" in str(caught.value)
    assert "long enough" not in str(caught.value)


async def test_a_server_is_who_its_certificate_says(tmp_path):
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    async with FakeModel(tls=authority).serve() as model:
        assert PROMPT[:40] in (await ask(model, model_ca_file=tmp_path / "ca.pem")).content
        for settings in ({}, {"model_ca_file": tmp_path / "other.pem"}):
            with pytest.raises(OutageError, match=r"is not trusted.*--model-ca-file"):
                await ask(model, **settings)
    missing = load_settings({"model_ca_file": tmp_path / "missing.pem"})
    with pytest.raises(SettingsError, match=r"missing\.pem"):
        OpenAIClient(missing.model, "https://model/v1")
