"""The embedded model server as a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.waiting import eventually
from telemetry.children import ends_with_parent

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    base_url: str
    request_log: Path
    process: "subprocess.Popen[bytes]"

    @property
    def requests(self) -> list[dict[str, object]]:
        """One entry for each completion that was asked for, whole lines only."""
        if not self.request_log.exists():
            return []
        return [json.loads(line) for line in self.request_log.read_text().splitlines(keepends=True) if line[-1] == "\n"]


@contextmanager
def embedded_server(
    directory: Path, *, latency_ms: int = 0, slots: int = 256, port: int = 0
) -> Iterator[EmbeddedServer]:
    """Logs to `directory`; on a free port unless one is given. Answers at most `slots` calls at once."""
    ready, requests = directory / "ready.json", directory / "requests.jsonl"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "server", "embedded", "--port", port, "--ready-file", ready]
    command += ["--latency-ms", latency_ms, "--max-num-seqs", slots, "--request-log", requests]
    with (directory / "embedded.log").open("ab") as log:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=ROOT,
            stdout=log,
            stderr=log,
            preexec_fn=ends_with_parent(),  # noqa: PLW1509
        )
    try:
        eventually(lambda: ready.exists() or process.poll() is not None, what="the embedded server")
        assert process.poll() is None, (directory / "embedded.log").read_text()
        yield EmbeddedServer(json.loads(ready.read_text())["base_url"], requests, process)
    finally:
        process.terminate()
        process.wait(30)
