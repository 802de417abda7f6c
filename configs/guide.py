"""Reads the JSON file of `--config`: the layout of the vLLM guide, and a `qastream` object for other settings."""

import logging
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from configs.errors import SettingsError

CONFIGS = Path(__file__).parent
MAX_BYTES = 1024 * 1024
log = logging.getLogger(__name__)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=(), strict=True)


class _Tuning(_Part):
    """Settings that every object takes, because the guide does not say in which object they belong."""

    timeout: float | None = Field(default=None, description="Longest time for one answer in seconds.")
    batch_size: int | None = Field(default=None, description="Number of calls in flight.")
    cache: bool | None = None


class _Api(_Tuning):
    use_local_models: bool = True
    use_vllm_http: bool = True
    vllm_server_url: str | None = None
    default_backend: str = "vllm_http"


class _VllmHttp(_Tuning):
    base_url: str | None = None
    api_key: str | None = None
    model_name: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None


class _LocalModels(_Part):
    vllm_http: _VllmHttp = _VllmHttp()


class _Models(_Part):
    local_models: _LocalModels = _LocalModels()


class _File(_Tuning):
    api: _Api = _Api()
    models: _Models = _Models()
    qastream: dict[str, Any] = Field(default_factory=dict)


def find_config(name: str) -> Path:
    """Look `name` up in the working directory, then in configs/. Raises SettingsError."""
    for path in (Path(name), CONFIGS / name):
        if path.is_file():
            return path
    raise SettingsError(f"--config {name}: no such file here or in {CONFIGS}")


def read_config(name: str) -> dict[str, Any]:
    """Return the settings of the file by name. Raises SettingsError for unreadable files and unknown settings."""
    path = find_config(name)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise SettingsError(f"{path}: over {MAX_BYTES} bytes, not a settings file")
        content = orjson.loads(data)
        parsed = _File.model_validate(content)
    except OSError as exc:
        raise SettingsError(f"{path}: {exc.strerror}") from exc
    except orjson.JSONDecodeError as exc:
        raise SettingsError(f"{path}: not JSON: {exc.msg}, line {exc.lineno} column {exc.colno}") from exc
    except ValidationError as exc:
        raise SettingsError("\n".join(f"{path}: {_line(error)}" for error in exc.errors())) from None
    return _settings(parsed, path)


def _line(error: Any) -> str:
    where = ".".join(map(str, error["loc"])) or "the whole file"
    what = "no such setting" if error["type"] == "extra_forbidden" else error["msg"]
    return f"{where}: {what}"


def _settings(file: _File, path: Path) -> dict[str, Any]:
    api, vllm = file.api, file.models.local_models.vllm_http
    _refuse_other_backends(api, path)
    url = vllm.base_url or api.vllm_server_url
    if vllm.base_url and api.vllm_server_url and vllm.base_url != api.vllm_server_url:
        log.warning("%s: base_url is used; vllm_server_url differs and is ignored", path)
    values = {
        "model_urls": url,
        "api_key": vllm.api_key,
        "model_name": vllm.model_name,
        "temperature": vllm.temperature,
        "max_tokens": vllm.max_tokens,
        "timeout_s": _first(vllm.timeout, api.timeout, file.timeout),
        "concurrency": _first(vllm.batch_size, api.batch_size, file.batch_size),
        "cache": _first(vllm.cache, api.cache, file.cache),
    }
    return {name: value for name, value in values.items() if value is not None} | file.qastream


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _refuse_other_backends(api: _Api, path: Path) -> None:
    wanted: dict[str, object] = {"default_backend": "vllm_http", "use_vllm_http": True, "use_local_models": True}
    for key, value in wanted.items():
        if getattr(api, key) != value:
            raise SettingsError(
                f"{path}: api.{key} takes {str(value).lower()} only: models are reached over a vLLM server's HTTP, "
                "never loaded into this process. Start one with `python -m server`."
            )
