"""The plan of a run: commands and environments of its processes, from the settings alone. No I/O."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from configs.errors import SettingsError
from configs.settings import Settings, environment_name, known_environment
from output.layout import Layout

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED_MODEL = "extractive"
MOST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """The plan of one run. `own_broker` and `own_model` say what is not configured, so that the run starts it."""

    settings: Settings
    input_dir: Path
    output_dir: Path
    workers: int
    once: bool
    own_broker: bool
    own_model: bool

    @property
    def layout(self) -> Layout:
        return Layout(self.output_dir)

    @property
    def broker_dir(self) -> Path:
        return self.layout.home / "broker"

    @property
    def logs_dir(self) -> Path:
        return self.layout.home / "logs"


def make_plan(settings: Settings, *, workers: int = 1, once: bool = False) -> RunPlan:
    """Makes the plan. Raises SettingsError for directories that are missing, and for settings that contradict it."""
    input_dir, output_dir = settings.producer.input_dir, settings.sink.output_dir
    if input_dir is None or output_dir is None:
        raise SettingsError("--input-dir and --output-dir are needed: where the texts are, and where the results go")
    if output_dir.resolve().is_relative_to(input_dir.resolve()):
        raise SettingsError(
            f"--output-dir {output_dir} lies in --input-dir {input_dir}: results would be read as texts. "
            "Choose a directory beside it"
        )
    if workers < 1:
        raise SettingsError(f"--workers {workers}: takes 1 or more")
    if settings.sink.only_partitions != "all":
        raise SettingsError("only_partitions is set, but the sink of a pipeline writes all")
    if settings.kafka.bootstrap_servers is None and settings.kafka.security_protocol != "PLAINTEXT":
        raise SettingsError(
            "security_protocol is set, but not where Kafka is: set KAFKA_BOOTSTRAP_SERVERS. The broker that is started "
            "here has no password and no TLS"
        )
    port = settings.telemetry.metrics_port
    if port and port + 1 + workers > MOST_PORT:
        raise SettingsError(f"--metrics-port {port}: the ports after it, one for each process, go beyond {MOST_PORT}")
    return RunPlan(
        settings=settings, input_dir=input_dir, output_dir=output_dir, workers=workers, once=once,
        own_broker=settings.kafka.bootstrap_servers is None,
        own_model="model_urls" not in settings.model.model_fields_set,
    )  # fmt: skip


def broker_command(plan: RunPlan, ready_file: Path) -> list[str]:
    return _module("server", "broker", "--data-dir", plan.broker_dir, "--port", 0, "--ready-file", ready_file)


def embedded_command(ready_file: Path) -> list[str]:
    return _module("server", "embedded", "--port", 0, "--ready-file", ready_file)


def sink_command(plan: RunPlan) -> list[str]:
    return _module("consumer", "sink", "--output-dir", plan.output_dir, *_metrics(plan, 1))


def worker_command(plan: RunPlan, number: int) -> list[str]:
    """Returns the command of a worker; `number` counts from 1."""
    return _module("consumer", *_metrics(plan, 1 + number))


def producer_command(plan: RunPlan, undone_file: Path) -> list[str]:
    once = ["--once", "--undone-file", undone_file] if plan.once else []
    return _module("producer", "--input-dir", plan.input_dir, *once, *_metrics(plan, 0))


def _metrics(plan: RunPlan, place: int) -> list[str]:
    """Returns the metrics option of the process: each process of a machine needs a port of its own."""
    port = plan.settings.telemetry.metrics_port
    return ["--metrics-port", str(port + place)] if port else []


def report_command(plan: RunPlan) -> list[str]:
    return _module("consumer", "report", "--output-dir", plan.output_dir)


def _module(name: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", name, *map(str, arguments)]


def complete_settings(plan: RunPlan, *, brokers: str | None, model_url: str | None) -> Settings:
    """Returns the settings with the addresses of the servers that were started, and a cache in the output directory."""
    kafka, model, worker = plan.settings.kafka, plan.settings.model, plan.settings.worker
    telemetry = plan.settings.telemetry
    if brokers is not None:
        kafka = kafka.replaced(bootstrap_servers=brokers)
    if model_url is not None:
        model = model.replaced(model_urls=(model_url,), model_name=EMBEDDED_MODEL)
    if worker.cache_path is None:
        worker = worker.replaced(cache_path=plan.layout.home / "cache.sqlite")
    if "log_format" not in telemetry.model_fields_set:
        telemetry = telemetry.replaced(log_format="human")  # people on this machine read the log files
    return replace(plan.settings, kafka=kafka, model=model, worker=worker, telemetry=telemetry)


def environment(settings: Settings, base: Mapping[str, str]) -> dict[str, str]:
    """Returns `base` with the settings that were given, so that a child needs neither their file nor their flags.

    Secrets go this way too, because every user of the machine can read arguments.
    """
    env = {name: value for name, value in base.items() if name.upper() not in known_environment()}
    env["PYTHONPATH"] = str(ROOT) + (f":{base['PYTHONPATH']}" if base.get("PYTHONPATH") else "")
    for name, value in settings.given().items():
        if value is not None:
            env[environment_name(name)] = _text(value)
    return env


def _text(value: Any) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)
