"""One look at a configured model server, before the workers wait for it."""

from configs.sections import ModelSettings
from inference.client import make_client
from inference.errors import FailureKind, ModelError


async def complaint(model: ModelSettings, base_url: str) -> str | None:
    """Returns a message for the user if the server does not list its models. Raises SettingsError for its settings."""
    client = make_client(model, base_url)
    try:
        await client.models()
    except ModelError as exc:
        return (
            f"无法连接到vLLM服务器: no model server answers at {base_url} ({_reason(exc, base_url)}). Waiting for it: "
            "start it with `python start_vllm_server.py`, or see what is wrong with "
            f"`python -m server check --base-url {base_url}`"
        )
    finally:
        await client.close()
    return None


def _reason(error: ModelError, base_url: str) -> str:
    failure = error.failure
    if failure is None:
        return str(error)
    if failure.status is None:
        return failure.detail
    hint = failure.kind is FailureKind.NOT_FOUND and not base_url.endswith("/v1")
    return f"HTTP {failure.status}" + ("; the address should end in /v1" if hint else "")
