"""One child process: its start, its log, its end."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from configs.cli import printable
from pipeline.errors import PipelineError
from telemetry.children import ends_with_parent
from telemetry.log_file import tail

POLL_S = 0.05
LOG_BYTES = 16 * 1024 * 1024
LAST_LINES = 8
LAST_BYTES = 8192
MayEnd = Callable[[int], bool]
"""Tells whether a child may end by itself with this exit code."""


def never(_: int) -> bool:
    return False


@dataclass(slots=True)
class Child:
    """A process in a session of its own: Ctrl-C on the terminal reaches the runner only, which stops all in order."""

    name: str
    command: Sequence[str]
    log: Path
    grace_s: float = 0.0
    may_end: MayEnd = never
    process: subprocess.Popen[bytes] = field(init=False, repr=False)
    exit_code: int | None = field(init=False, default=None)
    _log_start: int = field(init=False, default=0)
    """The byte of the log at which the lines of this process begin."""

    def start(self, env: Mapping[str, str]) -> None:
        """Starts the process. Call it from the main thread: the child ends with the thread that started it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:  # append mode: `bound_log` cuts the log while the child writes
            self._log_start = log.tell()
            self.process = subprocess.Popen(  # noqa: S603 - our own modules
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(env),
                start_new_session=True,
                # A killed runner takes its children with it. The JVM still ends in order: the broker process starts it.
                preexec_fn=ends_with_parent(signal.SIGKILL),  # noqa: PLW1509 - no other threads when children are started
            )

    def poll(self) -> int | None:
        """Returns the exit code, negative for a signal; None while it runs. Kills what it left in its session."""
        if self.exit_code is None and self.process.poll() is not None:
            self.exit_code = self.process.returncode
            self._kill_group()
        return self.exit_code

    async def wait(self) -> int:
        while (code := self.poll()) is None:  # noqa: ASYNC110 - portable, and nothing to clean up
            await asyncio.sleep(POLL_S)
        return code

    async def stop(self, *, grace_s: float) -> None:
        """Sends SIGTERM, and after `grace_s` seconds SIGKILL to the process and its children."""
        if self.poll() is not None:
            return
        self.process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), grace_s)
        if self.poll() is None:
            self._kill_group()
            await self.wait()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def bound_log(self, limit: int = LOG_BYTES) -> None:
        """Empties a log over `limit` bytes and keeps its end beside it, as logrotate's copytruncate does."""
        if self.log.stat().st_size > limit:
            self.log.with_suffix(".log.1").write_bytes(tail(self.log, limit))
            os.truncate(self.log, 0)

    def obituary(self) -> PipelineError:
        """Returns the error for a child that ended by itself, with the end of its log."""
        lines = tail(self.log, LAST_BYTES, start=self._log_start).decode(errors="replace").splitlines()[-LAST_LINES:]
        last = "\n".join(f"    {printable(line)}" for line in lines) or "    (nothing)"
        error = PipelineError(f"{self.name} {describe_exit(self.exit_code)}. The end of its log, {self.log}:\n{last}")
        if self.exit_code == 2:  # wrong settings: the log names them
            error.exit_code = 2
        return error


async def wait_for_file(child: Child, path: Path) -> bytes:
    """Returns the content of the file that `child` writes when it is ready. Raises PipelineError if it ends first."""
    while True:
        with contextlib.suppress(FileNotFoundError):
            return path.read_bytes()  # noqa: ASYNC240 - a hundred bytes
        if child.poll() is not None:
            raise child.obituary()
        await asyncio.sleep(POLL_S)


def describe_exit(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
