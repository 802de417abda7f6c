"""compose.yaml brought up as a user does, under a name and on ports of its own, with directories of its own."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chaos.waiting import eventually
from server.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_S = 600
"""For what takes seconds on a machine that has time for it."""
OWNER = (1000, 1000) if os.getuid() == 0 else (os.getuid(), os.getgid())


@dataclass(frozen=True, slots=True)
class Stack:
    """One compose project; `directory` has texts/ and results/. `environment` is what a user would write into .env."""

    directory: Path
    kafka_port: int
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> Path:
        return self.directory / "texts"

    @property
    def documents(self) -> Path:
        return self.directory / "results" / "documents"

    @property
    def project(self) -> str:
        return f"qastream-{self.kafka_port}"

    def __call__(self, *arguments: str, check: bool = True) -> str:
        """Standard output of `docker compose ARGUMENTS`."""
        return self._run(["docker", "compose", *arguments], check=check)

    def shell(self, script: str) -> str:
        """Standard output of a script in `directory`, for which `docker compose` is this project."""
        return self._run(["bash", "-euo", "pipefail", "-c", script], check=True)

    def _run(self, command: list[str], *, check: bool) -> str:
        done = subprocess.run(
            command, cwd=self.directory, env=self._environment(), capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": f"{ROOT / 'compose.yaml'}:{self.directory / 'override.yaml'}",
            "INPUT": str(self.texts),
            "OUTPUT": str(self.directory / "results"),
            "KAFKA_PORT": str(self.kafka_port),
            "RUN_AS": "{}:{}".format(*OWNER),
            **self.environment,
        }

    def up(self, *, workers: int = 1) -> None:
        """Returns when all are healthy. Not by `--wait`, which gives up on one that a busy machine makes late."""
        self("up", "-d", "--no-recreate", "--scale", f"worker={workers}")
        eventually(lambda: not self.not_ready(), within_s=READY_S, what=self.not_ready)

    def not_ready(self) -> list[str]:
        """Containers that are neither healthy nor have done what they were there for."""
        states = [(container, inspected(container)["State"]) for container in self.containers()]
        return [
            f"{docker('inspect', '--format', '{{.Name}}', container).strip()}: {state['Status']}"
            for container, state in states
            if state.get("Health", {}).get("Status") != "healthy" and (state["Running"] or state["ExitCode"])
        ]

    def containers(self, *services: str) -> list[str]:
        return self("ps", "-aq", *services).split()

    def drop(self, name: str, text: str) -> None:
        """A file, renamed into place."""
        temporary = self.texts / f".{name}"
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(0o644)
        temporary.rename(self.texts / name)

    def dropped(self) -> int:
        return len(list(self.texts.glob("*.txt")))

    def published(self) -> set[str]:
        return {path.name for path in self.documents.glob("*.json")}

    def all_done(self) -> None:
        eventually(lambda: len(self.published()) == self.dropped(), within_s=READY_S)

    def verify(self) -> dict[str, object]:
        """The balance sheet; raises AssertionError where something differs."""
        command = ["python", "-m", "consumer", "verify", "--output-dir", "/output", "--input-dir", "/input"]
        return dict(json.loads(self("exec", "-T", "sink", *command, "--json")))

    def calls(self, service: str) -> dict[str, float]:
        """Of an embedded model server, by how they finished."""
        read = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8000/metrics').read().decode())"
        metrics = self("exec", "-T", service, "python", "-c", read)
        return {name: float(count) for name, count in re.findall(r'finished_reason="(\w+)"\} ([\d.]+)', metrics)}


@contextmanager
def running_stack(
    directory: Path, *, override: str, environment: Mapping[str, str] | None = None, workers: int = 1
) -> Iterator[Stack]:
    """Built and up; `override` is merged into compose.yaml. Nothing of it is left afterwards."""
    stack = _make(directory, override, environment or {})
    try:
        stack("build", "--quiet")
        stack.up(workers=workers)
        yield stack
    finally:
        stack("--profile", "*", "down", "-v", "--remove-orphans", "--timeout", "10")


def _make(directory: Path, override: str, environment: Mapping[str, str]) -> Stack:
    for part in (directory, directory / "texts", directory / "results"):
        part.mkdir(exist_ok=True)
        part.chmod(0o755)
        os.chown(part, *OWNER)
    (directory / "override.yaml").write_text(override)
    return Stack(directory, free_port("127.0.0.1"), environment)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def inspected(container: str) -> dict:
    return json.loads(docker("inspect", container))[0]


def logs(container: str, *flags: str) -> str:
    """What it wrote on stderr, where processes log."""
    return subprocess.run(["docker", "logs", *flags, container], capture_output=True, text=True, check=True).stderr


def assert_hardened(container: str) -> None:
    """No root, no capabilities, a read-only root, bounds."""
    found = inspected(container)
    host, name = found["HostConfig"], found["Name"]
    assert not re.match(r"(root|0)?(:|$)", found["Config"]["User"]), name
    assert host["ReadonlyRootfs"], name
    assert host["CapDrop"] == ["ALL"], name
    assert host["SecurityOpt"] == ["no-new-privileges:true"], name
