"""`python -m pipeline` as a process, and what it leaves on disk."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from chaos.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    "broker": ["server", "broker"],
    "model": ["server", "embedded"],
    "sink": ["consumer", "sink"],
    "worker": ["consumer"],
    "producer": ["producer"],
}


@dataclass(frozen=True, slots=True)
class Running:
    """`process` is the runner."""

    process: subprocess.Popen[bytes]
    output_dir: Path
    screen: Path

    @property
    def said(self) -> str:
        return self.screen.read_text(errors="replace")

    def child(self, kind: str) -> psutil.Process | None:
        """The runner's child of this kind, once it runs its own program."""
        for process in psutil.Process(self.process.pid).children():
            arguments = _arguments(process)
            if "-m" in arguments and _is(arguments[arguments.index("-m") + 1 :], kind):
                return process
        return None

    def kill(self, kind: str) -> None:
        """SIGKILL to a child, as soon as there is one, or to the runner."""
        assert self.process.poll() is None, f"it ended by itself\n{self.said}\n{self.logs}"
        if kind == "runner":
            self.process.kill()
        else:
            eventually(lambda: self.child(kind), what=lambda: f"{kind}\n{self.said}").kill()

    def end(self, *, within_s: float = 60) -> int:
        """Its exit code."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within_s:g} s\n{self.said}\n{self.logs}") from None

    @property
    def logs(self) -> str:
        logs = sorted((self.output_dir / ".qastream" / "logs").glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in logs)


@contextmanager
def pipeline(
    input_dir: Path, output_dir: Path, *flags: object, env: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Starts it; whatever the test does, nothing of it runs afterwards."""
    output_dir.mkdir(parents=True, exist_ok=True)
    screen = output_dir.parent / f"{output_dir.name}.screen"
    command = [sys.executable, "-m", "pipeline", "--input-dir", input_dir, "--output-dir", output_dir, *flags]
    with screen.open("wb") as out:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=ROOT,
            stdout=out,
            stderr=out,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    running = Running(process, output_dir, screen)
    try:
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        eventually(lambda: not survivors(output_dir), what=lambda: survivors(output_dir))


def finished(input_dir: Path, output_dir: Path, *flags: object, env: Mapping[str, str] | None = None) -> Running:
    """A run with --once that must end well."""
    with pipeline(input_dir, output_dir, "--once", *flags, env=env) as running:
        code = running.end(within_s=150)
    assert code == 0, f"exit code {code}\n{running.said}\n{running.logs}"
    return running


def survivors(output_dir: Path) -> list[str]:
    """Processes that still work for this output directory: each has it in its arguments or its environment."""
    return [str(process) for process in psutil.process_iter() if _belongs(process, str(output_dir))]


def records(output_dir: Path) -> dict[str, bytes]:
    """Every record on disk by its id, as its line; fails on one that is there twice."""
    lines = [line for _, line in _lines(output_dir)]
    by_id = {json.loads(line)["record_id"]: line for line in lines}
    assert len(by_id) == len(lines), "a record is on disk twice"
    return by_id


def documents(output_dir: Path) -> dict[str, dict[str, Any]]:
    """Document files by their path below documents/."""
    folder = output_dir / "documents"
    return {str(file.relative_to(folder)): json.loads(file.read_bytes()) for file in sorted(folder.rglob("*.json"))}


def _lines(output_dir: Path) -> Iterator[tuple[Path, bytes]]:
    for segment in sorted((output_dir / "results").glob("*.jsonl")):
        for line in segment.read_bytes().splitlines():
            yield segment, line


def _is(arguments: list[str], kind: str) -> bool:
    module = KINDS[kind]
    if arguments[: len(module)] != module:
        return False
    return kind != "worker" or arguments[1:2] != ["sink"]


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _belongs(process: psutil.Process, directory: str) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return any(directory in text for text in (*process.cmdline(), *process.environ().values(), process.cwd()))
    except psutil.Error:
        return False
