"""One look at a configured model server, before the workers wait for it."""

from http import HTTPStatus

from configs.sections import ModelSettings
from configs.tls import model_context

LOOK_S = 5.0


async def complaint(model: ModelSettings, base_url: str) -> str | None:
    """What a user should know when the server does not answer `/models`; None when it does.

    Raises SettingsError for a model_ca_file that can't be used.
    """
    import aiohttp  # noqa: PLC0415 - takes half a second, which a run with a model server of its own can save

    headers = {"Authorization": f"Bearer {model.api_key.get_secret_value()}"}
    trusted = model_context(model.model_ca_file)
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LOOK_S)) as session,
            session.get(f"{base_url}/models", headers=headers, ssl=trusted) as response,
        ):
            if response.ok:
                return None
            reason = f"HTTP {response.status}"
            if response.status == HTTPStatus.NOT_FOUND and not base_url.endswith("/v1"):
                reason += "; the address should end in /v1"
    except aiohttp.ClientConnectorError as exc:
        reason = str(exc.os_error)  # its own text shows an object of the library
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        reason = str(exc) or type(exc).__name__
    return (
        f"无法连接到vLLM服务器: no model server answers at {base_url} ({reason}). Waiting for it: start it with "
        f"`python start_vllm_server.py`, or see what is wrong with `python -m server check --base-url {base_url}`"
    )
