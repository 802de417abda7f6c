"""A real Redis server (Debian: redis-server) as a process of its own."""

import shutil
import subprocess
from pathlib import Path

from chaos.waiting import eventually
from server.ports import free_port
from telemetry.children import ends_with_parent


def obstacle() -> str | None:
    """Why there can be no Redis here; None when there can."""
    return None if shutil.which("redis-server") else "there is no redis-server on the PATH (Debian: redis-server)"


class RedisServer:
    def __init__(self, directory: Path) -> None:
        self.port = free_port("127.0.0.1")
        self._directory = directory

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [shutil.which("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            command,
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
            preexec_fn=ends_with_parent(),  # noqa: PLW1509
        )
        eventually(self._answers, what="redis-server")

    def _answers(self) -> bool:
        probe = [shutil.which("redis-cli"), "-p", str(self.port), "ping"]
        return subprocess.run(probe, capture_output=True, check=False).stdout == b"PONG\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
