"""Loads the settings of a process. A flag precedes the environment, that a file, and that a default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from configs.errors import SettingsError
from configs.guide import read_config
from configs.secret_files import FILE, read_secret_files
from configs.sections import (
    JudgeSettings,
    KafkaSettings,
    ModelSettings,
    ProducerSettings,
    Section,
    ServerSettings,
    SinkSettings,
    TelemetrySettings,
    WorkerSettings,
)

PREFIX = "QASTREAM_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one process, made by `load_settings`. A function takes only the section that it needs."""

    kafka: KafkaSettings
    model: ModelSettings
    judging: JudgeSettings
    worker: WorkerSettings
    producer: ProducerSettings
    sink: SinkSettings
    server: ServerSettings
    telemetry: TelemetrySettings

    @property
    def judge(self) -> ModelSettings | None:
        """The model that judges answers, or None if the model that answers judges them itself."""
        return self.judging.in_place_of(self.model)

    def given(self) -> dict[str, Any]:
        """Return the settings that a flag, the environment or a file has set, by name."""
        sections: list[Section] = [getattr(self, name) for name in SECTIONS]
        return {name: getattr(section, name) for section in sections for name in section.model_fields_set}


SECTIONS: dict[str, type[Section]] = get_type_hints(Settings)


class Flat(
    TelemetrySettings, ServerSettings, SinkSettings, ProducerSettings,
    WorkerSettings, JudgeSettings, ModelSettings, KafkaSettings, BaseSettings,
):  # fmt: skip
    """Holds all settings side by side, as flags, variables and files do. The last base gives the first fields."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True)


FIELDS = Flat.model_fields
GUIDE_ENVIRONMENT = {name: str(field.validation_alias) for name, field in FIELDS.items() if field.validation_alias}
"""Variables of the vLLM guide and of Kafka, which have no prefix, by setting."""
SECRETS = tuple(name for name, field in FIELDS.items() if SecretStr in (field.annotation, *get_args(field.annotation)))
"""Settings without a flag, because every user of a machine can read the arguments of a process."""


def load_settings(
    flags: Mapping[str, Any] | None = None, *, config: str | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Merge flags, environment, the file `config` and the defaults. A flag that is None was not given.

    Raises SettingsError. Its message names each unknown or unusable setting, and what that setting takes.
    """
    environ = os.environ if environ is None else environ
    _refuse_unknown_environment(environ)
    secrets = read_secret_files(environ, {environment_name(name): name for name in SECRETS})
    from_file = read_config(config) if config else {}

    class Loaded(Flat):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            *_: PydanticBaseSettingsSource,
            **__: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            files = (InitSettingsSource(settings_cls, values) for values in (secrets, from_file))
            return init_settings, env_settings, *files

    given = {name: value for name, value in (flags or {}).items() if value is not None}
    try:
        flat = Loaded(**given)
    except ValidationError as exc:
        elsewhere = given.keys() | {name for name in FIELDS if environment_name(name) in environ}
        raise SettingsError(_explain(exc, dict.fromkeys(from_file.keys() - elsewhere, f" in {config}"))) from None
    parts: dict[str, Any] = {name: kind.part_of(flat) for name, kind in SECTIONS.items()}
    return Settings(**parts)


def environment_name(field: str) -> str:
    """Return the environment variable of a setting."""
    return GUIDE_ENVIRONMENT.get(field, PREFIX + field.upper())


def known_environment() -> frozenset[str]:
    """Return all variables that are read. A secret has two; the second one names a file that contains it."""
    names = map(environment_name, FIELDS)
    return frozenset((*names, *(environment_name(name) + FILE for name in SECRETS)))


def flag_name(field: str) -> str:
    return "--" + field.replace("_", "-")


def _refuse_unknown_environment(environ: Mapping[str, str]) -> None:
    known = known_environment()
    unknown = sorted(name for name in environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        raise SettingsError(f"no such setting: {', '.join(unknown)} (environment). Known: {', '.join(sorted(known))}")


def _explain(exc: ValidationError, places: Mapping[str, str]) -> str:
    """Explain each mistake in a line, without values, which may be secret. `places` says which come from a file."""
    names = {alias: field for field, alias in GUIDE_ENVIRONMENT.items()}
    lines = []
    for error in exc.errors(include_url=False, include_input=False):
        given = str(error["loc"][0]) if error["loc"] else ""
        field = names.get(given, given)
        said = error["msg"].removeprefix("Value error, ")
        if field in FIELDS:
            where = f"{flag_name(field)} ({environment_name(field)}){places.get(field, '')}"
            lines.append(f"{where}: {said}. {FIELDS[field].description}")
        else:
            what = "no such setting" if error["type"] == "extra_forbidden" else said
            lines.append(f"{given}{places.get(given, '')}: {what}" if given else what)
    return "\n".join(lines)
