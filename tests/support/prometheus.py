"""A real Prometheus (Debian: prometheus) over a pipeline of this machine, with the alert rules of deploy/."""

import json
import math
import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from chaos.waiting import eventually
from server.ports import free_port, is_taken
from telemetry.children import ends_with_parent

RULES = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "alerts.yml"
Series = list[dict[str, Any]]


def obstacle() -> str | None:
    missing = [tool for tool in ("prometheus", "promtool") if shutil.which(tool) is None]
    return f"there is no {missing[0]} on the PATH (Debian: prometheus)" if missing else None


def metrics_port(processes: int) -> int:
    """The first of as many free ports in a row, below those that the system gives to whoever connects meanwhile."""
    while True:
        first = random.randint(20_000, 30_000)
        if not any(is_taken("127.0.0.1", first + i) for i in range(processes)):
            return first


@dataclass(frozen=True, slots=True)
class Prometheus:
    url: str

    def get(self, path: str, **parameters: object) -> Any:
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}") as response:
            return json.load(response)["data"]

    def query(self, expression: str) -> Series:
        """Series that have a number now. Raises HTTPError for what is no PromQL."""
        found = self.get("query", query=expression)["result"]
        return [series for series in found if math.isfinite(float(series["value"][1]))]

    def query_range(self, expression: str, *, start_s: float, end_s: float, step_s: float) -> Series:
        return list(self.get("query_range", query=expression, start=start_s, end=end_s, step=step_s)["result"])

    def up(self) -> dict[str, int]:
        """How many targets of each job answer."""
        found = [series["metric"]["job"] for series in self.query("up == 1")]
        return {job: found.count(job) for job in sorted(set(found))}


@contextmanager
def running_prometheus(directory: Path, targets: Mapping[str, list[str]]) -> Iterator[Prometheus]:
    """Asks each target, by job, every second."""
    directory.mkdir(exist_ok=True)
    jobs = [{"job_name": job, "static_configs": [{"targets": to}]} for job, to in targets.items()]
    times = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config = directory / "prometheus.yml"
    config.write_text(json.dumps({"global": times, "rule_files": [str(RULES)], "scrape_configs": jobs}))
    address = f"127.0.0.1:{free_port('127.0.0.1')}"
    flags = [f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address={address}"]
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            ["prometheus", *flags],
            stdout=log,
            stderr=log,
            preexec_fn=ends_with_parent(),  # noqa: PLW1509
        )
    try:
        prometheus = Prometheus(f"http://{address}")
        eventually(lambda: _answers(prometheus), what=(directory / "prometheus.log").read_text)
        yield prometheus
    finally:
        process.terminate()
        process.wait(30)


def _answers(prometheus: Prometheus) -> bool:
    try:
        with urlopen(f"{prometheus.url}/-/ready") as response:
            return response.status == 200
    except OSError:
        return False
