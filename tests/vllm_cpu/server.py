"""Start and stop a real vLLM on the CPU with a tiny random-weights model.

Needs nothing but the standard library, so that tests import it from the main environment; vLLM itself lives in
.venv-vllm. By hand: python tests/vllm_cpu/server.py --port 8000
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = ROOT / ".venv-vllm"
PYTHON = VENV / "bin" / "python"
MODEL_DIR = VENV / "tiny-qwen3"
TEXT_DIR = ROOT / "data" / "texts"
HOST = "127.0.0.1"
SERVED_MODEL_NAME = "qwen-vllm"

ENVIRONMENT: Mapping[str, str] = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; the default is half of the machine's memory
    # Saves the worker process, a third of the start: each process imports torch for ten seconds.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    # One free-floating thread: the model is tiny, and threads bound to cores starve beside a test run.
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
}
# Without bytecode files the imports take twice as long; search paths of the main environment must not leak in.
UNWANTED_VARIABLES = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}

# Reads until whoever started it is gone, however it went, then kills the process group it was told.
WATCHDOG = "import os, signal, sys; sys.stdin.read(); os.killpg(int(sys.argv[1]), signal.SIGKILL)"

# A proxy from the environment must not stand between us and this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class VllmDidNotStartError(RuntimeError):
    """The server ended, or did not answer in time; the message has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningVllm:
    base_url: str  # without /v1
    model: str
    log_path: Path
    process: "subprocess.Popen[bytes]"


def ensure_installed() -> None:
    """Make .venv-vllm from its lock; milliseconds when it is there."""
    subprocess.run(["bash", str(HERE / "install.sh")], check=True)


def ensure_model(model_dir: Path = MODEL_DIR, text_dir: Path = TEXT_DIR) -> Path:
    """Make the tiny model when it is missing; seconds. Complete or absent, never half-made."""
    if model_dir.exists():
        return model_dir
    model_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=model_dir.parent, prefix=".tiny-model-") as scratch:
        made = Path(scratch) / "model"
        command = [str(PYTHON), str(HERE / "tiny_model.py"), str(made), str(text_dir)]
        subprocess.run(command, check=True, env=environment(), stdout=subprocess.DEVNULL)
        # Another process may have been faster; its model is the same one.
        with contextlib.suppress(OSError):
            made.rename(model_dir)
    if not model_dir.exists():
        raise FileNotFoundError(f"could not make a model in {model_dir}")
    return model_dir


def environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Environment for a process of .venv-vllm: what vLLM needs to start quickly on a small machine."""
    kept = {name: value for name, value in base.items() if name not in UNWANTED_VARIABLES}
    return {**kept, **ENVIRONMENT}


def flags(*, max_model_len: int = 8192) -> list[str]:
    """Options of vLLM that the tests rely on, besides model, name, host and port."""
    return [
        "--enforce-eager",
        "--max-model-len",
        str(max_model_len),
        # The default backend, xgrammar, makes invalid JSON from string bounds.
        "--structured-outputs-config",
        json.dumps({"backend": "guidance", "disable_any_whitespace": True}),
        "--enable-prompt-tokens-details",
        # vLLM 0.32 on a CPU dies ("CPU Generator does not use offset") when the prompt of a request with a seed is
        # split over two steps; without chunked prefill no prompt is split.
        "--no-enable-chunked-prefill",
    ]


def command(*, port: int, model_dir: Path, served_model_name: str, extra: Sequence[str] = ()) -> list[str]:
    # The `vllm` script looks for a distribution of that name and fails in one named vllm-cpu.
    server = [str(PYTHON), "-m", "vllm.entrypoints.openai.api_server"]
    named = ["--model", str(model_dir), "--served-model-name", served_model_name]
    return [*server, *named, "--host", HOST, "--port", str(port), *extra]


@contextlib.contextmanager
def running(
    *,
    port: int,
    log_path: Path,
    served_model_name: str = SERVED_MODEL_NAME,
    max_model_len: int = 8192,
    extra: Sequence[str] = (),
    start_timeout_s: float = 240,
) -> Iterator[RunningVllm]:
    """A server that has answered a completion; it is gone with all its processes when the block ends.

    Installs vLLM and makes the model when they are missing. `extra` are more flags for vLLM.
    """
    _require_free(port)
    ensure_installed()
    model_dir = ensure_model()
    arguments = command(
        port=port,
        model_dir=model_dir,
        served_model_name=served_model_name,
        extra=[*flags(max_model_len=max_model_len), *extra],
    )
    with _process(arguments, log_path) as process:
        server = RunningVllm(
            base_url=f"http://{HOST}:{port}", model=served_model_name, log_path=log_path, process=process
        )
        wait_ready(server, timeout_s=start_timeout_s)
        yield server


def _require_free(port: int) -> None:
    # Else the server that holds the port would answer for the one that cannot start.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise VllmDidNotStartError(f"port {port} on {HOST} cannot be used: {error}") from error


@contextlib.contextmanager
def _process(arguments: Sequence[str], log_path: Path) -> "Iterator[subprocess.Popen[bytes]]":
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            arguments,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Not the checkout: vLLM's processes have the working directory on their import path.
            cwd=log_path.parent,
            start_new_session=True,
        )
    try:
        with _watchdog(process.pid):
            yield process
    finally:
        stop(process)


@contextlib.contextmanager
def _watchdog(group: int) -> Iterator[None]:
    """Kills the group if this process dies without a chance to stop it (kill -9)."""
    watchdog = subprocess.Popen(
        [sys.executable, "-c", WATCHDOG, str(group)], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield
    finally:
        watchdog.kill()
        watchdog.communicate()


def stop(process: "subprocess.Popen[bytes]", *, grace_s: float = 10) -> None:
    """End the server and every process it started; returns when they are gone."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
    # The engine is a process of its own and can outlive the server; the group has both.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_ready(server: RunningVllm, *, timeout_s: float) -> None:
    """Wait until the server really answers: health, the model's name, one completion."""
    deadline = time.monotonic() + timeout_s
    while not _answers(server):
        if server.process.poll() is not None:
            raise VllmDidNotStartError(f"vLLM ended with {server.process.returncode}:\n{_log_tail(server.log_path)}")
        if time.monotonic() > deadline:
            raise VllmDidNotStartError(f"no answer within {timeout_s:.0f} s:\n{_log_tail(server.log_path)}")
        time.sleep(0.2)


def _answers(server: RunningVllm) -> bool:
    try:
        _request(f"{server.base_url}/health")
        models = json.loads(_request(f"{server.base_url}/v1/models"))
        if server.model not in {model["id"] for model in models["data"]}:
            return False
        prompt = {"model": server.model, "messages": [{"role": "user", "content": "半导体"}], "max_tokens": 1}
        _request(f"{server.base_url}/v1/chat/completions", prompt)
    except OSError:  # refused, reset, timed out, or an HTTP error
        return False
    return True


def _request(url: str, body: dict[str, Any] | None = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with _opener.open(request, timeout=30) as response:
        answer: bytes = response.read()
    return answer


def _log_tail(path: Path, lines: int = 30) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _wait_for_interrupt() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


def main() -> None:
    parser = argparse.ArgumentParser(description="Run vLLM on the CPU with a tiny random-weights model until Ctrl-C.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--served-model-name", default=SERVED_MODEL_NAME)
    parser.add_argument("--log", type=Path, default=Path(tempfile.gettempdir()) / "vllm-cpu.log")
    parser.add_argument("--fresh-model", action="store_true", help="make the model again from data/texts")
    arguments = parser.parse_args()
    if arguments.fresh_model:
        shutil.rmtree(MODEL_DIR, ignore_errors=True)
    # SIGTERM becomes an ordinary exit, so that the server is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"starting, log in {arguments.log}", flush=True)
    with running(port=arguments.port, log_path=arguments.log, served_model_name=arguments.served_model_name) as server:
        print(f"{server.model} answers at {server.base_url}/v1", flush=True)
        _wait_for_interrupt()


if __name__ == "__main__":
    main()
