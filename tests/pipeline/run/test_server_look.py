import pytest

from configs.settings import load_settings
from pipeline.run.server_look import complaint
from server.embedded.app import EmbeddedOptions, serve
from server.ports import free_port

MODEL = load_settings(environ={}).model


async def test_a_server_that_lists_its_models_is_no_reason_to_complain() -> None:
    async with serve(EmbeddedOptions(served=("another",))) as url:
        assert await complaint(MODEL, url) is None


@pytest.mark.parametrize("path", ["", "/x/v1"])
async def test_an_address_that_has_no_list_of_models_is_named_with_the_status(path: str) -> None:
    async with serve(EmbeddedOptions()) as url:
        address = url.removesuffix("/v1") + path
        said = await complaint(MODEL, address)
    assert said is not None
    assert said.startswith(f"无法连接到vLLM服务器: no model server answers at {address} (HTTP 404")
    assert ("should end in /v1" in said) is (path == "")


async def test_a_port_where_nothing_listens_is_a_reason_in_the_words_of_the_system() -> None:
    address = f"http://127.0.0.1:{free_port('127.0.0.1')}/v1"
    said = await complaint(MODEL, address)
    assert said is not None
    assert "Connect call failed" in said
    assert f"`python -m server check --base-url {address}`" in said
