"""Writes docs/configuration.md from the settings: the texts of `--help` in one place."""

from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from configs.settings import FIELDS, SECRETS, SECTIONS, environment_name, flag_name
from tools.places import ROOT

PAGE = ROOT / "docs" / "configuration.md"
TITLES = {
    "kafka": "Kafka", "model": "The model server", "judging": "The model that judges", "worker": "Worker",
    "producer": "Producer", "sink": "Sink", "server": "vLLM on this machine",
    "telemetry": "Logs, metrics, health and traces",
}  # fmt: skip
"""Headings of the sections of the settings."""
_HEAD = """# Configuration

<!-- made by `python -m tools`; do not edit -->

A setting is given by a flag, by an environment variable, or in the `--config` file under `"qastream"`, where its name
has underscores. A flag precedes the environment, that precedes the file, and that precedes the default. The `--help` of
a command lists its flags. All commands may share one environment and one file, because each command uses only the
settings that concern it. Unknown settings and unusable values are refused at the start, with exit code 2.

**Secrets** have no flag, because every user of a machine can read the arguments of a process. A secret may stand in a
file instead. The variable with `_FILE` behind its name has the path, as Docker and Kubernetes mount secrets
(`VLLM_API_KEY_FILE=/run/secrets/api-key`); a line end in the file does not count. `python -m pipeline` hands secrets to
its processes by environment.

The JSON file of the [vLLM guide](vllm-http-guide.md) works as it is. It sets `base_url`, `api_key`, `model_name`,
`temperature` and `max_tokens` in `models.local_models.vllm_http`, and `vllm_server_url` in `api`. `timeout`
(`timeout_s`), `batch_size` (`concurrency`) and `cache` may stand in any of its objects.
"""


def render() -> str:
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for name, section in SECTIONS.items():
        yield f"## {TITLES[name]}\n\n| flag | environment | default | |\n|---|---|---|---|"
        yield from (_row(field, FIELDS[field]) for field in section.model_fields)
        yield ""


def _row(name: str, field: FieldInfo) -> str:
    flag = "" if name in SECRETS else f"`{flag_name(name)}`"
    environment = f"`{environment_name(name)}`" + (" (or `…_FILE`)" if name in SECRETS else "")
    text = (field.description or "").replace("|", "\\|")
    return f"| {flag} | {environment} | {_default(field.default)} | {text}{_takes(field)} |"


def _default(value: Any) -> str:  # noqa: PLR0911 - one for each kind of value
    match value:
        case None | "" | ():
            return ""
        case SecretStr():
            return f"`{value.get_secret_value()}`"
        case tuple():
            return f"`{','.join(map(str, value))}`"
        case bool():
            return "on" if value else "off"
        case int() if value >= 1024**3:
            return f"`{value}` ({value / 1024**3:g} GiB)"
        case int() if value >= 1024**2:
            return f"`{value}` ({value / 1024**2:g} MiB)"
        case _:
            return f"`{value}`"


def _takes(field: FieldInfo) -> str:
    bounds = {"ge": "at least", "gt": "over", "le": "at most", "lt": "under"}
    limits = [
        f"{word} {getattr(rule, name):,}"
        for rule in field.metadata
        for name, word in bounds.items()
        if getattr(rule, name, None) is not None
    ]
    said = [", ".join(f"`{choice}`" for choice in _choices(field.annotation)), ", ".join(limits)]
    return "".join(f" Takes {text}." for text in said if text)


def _choices(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(choice for part in get_args(annotation) if part is not NoneType for choice in _choices(part))


def pages() -> dict[Path, str]:
    return {PAGE: render()}
