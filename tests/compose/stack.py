"""compose.yaml brought up as a user does, under a name and on ports of its own, with directories of its own."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from server.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
UP_S = 240
LATENCY_MS = 1000
SLOTS = 16
"""Of the embedded model server: that many chunks a second, so that there is load while workers come and go."""
OWNER = (1000, 1000) if os.getuid() == 0 else (os.getuid(), os.getgid())
OVERRIDE = f"""services:
  embedded:
    command: python -m server embedded --host 0.0.0.0 --latency-ms {LATENCY_MS} --max-num-seqs {SLOTS}
"""


@dataclass(frozen=True, slots=True)
class Stack:
    """One compose project; `directory` has texts/ and results/."""

    directory: Path
    kafka_port: int

    @property
    def texts(self) -> Path:
        return self.directory / "texts"

    @property
    def documents(self) -> Path:
        return self.directory / "results" / "documents"

    def __call__(self, *arguments: str, check: bool = True) -> str:
        """Standard output of `docker compose ARGUMENTS`."""
        files = ["-f", "compose.yaml", "-f", str(self.directory / "override.yaml")]
        command = ["docker", "compose", "-p", f"qastream-{self.kafka_port}", *files, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._environment(), capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "INPUT": str(self.texts),
            "OUTPUT": str(self.directory / "results"),
            "KAFKA_PORT": str(self.kafka_port),
            "RUN_AS": "{}:{}".format(*OWNER),
        }

    def up(self, *, workers: int = 1) -> None:
        self("up", "-d", "--wait", "--wait-timeout", str(UP_S), "--no-recreate", "--scale", f"worker={workers}")

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

    def verify(self) -> dict[str, object]:
        """The balance sheet; raises AssertionError where something differs."""
        command = ["python", "-m", "consumer", "verify", "--output-dir", "/output", "--input-dir", "/input"]
        return dict(json.loads(self("exec", "-T", "sink", *command, "--json")))


def make_stack(directory: Path) -> Stack:
    for part in (directory, directory / "texts", directory / "results"):
        part.mkdir(exist_ok=True)
        part.chmod(0o755)
        os.chown(part, *OWNER)
    (directory / "override.yaml").write_text(OVERRIDE)
    return Stack(directory, free_port("127.0.0.1"))


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def inspected(container: str) -> dict:
    return json.loads(docker("inspect", container))[0]
