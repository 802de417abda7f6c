"""The first terminal of the vLLM guide, with a tiny model on the CPU."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.ports import is_taken
from telemetry.children import ends_with_parent
from tests.vllm_cpu import server as vllm

ROOT = Path(__file__).resolve().parents[2]
MODEL = "/mnt/workspace/models/Qwen/QwQ-32B/"
PORT = 8000
START = "python start_vllm_server.py"
START_WITH_FLAGS = (
    f"{START} --model-path {MODEL} --port {PORT} --gpu-memory-utilization 0.95 --tensor-parallel-size 1 "
    "--max-model-len 32768"
)


def environment() -> dict[str, str]:
    """`python` is ours, and vLLM's is that of the CPU build."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return vllm.environment() | {"PATH": path, "QASTREAM_VLLM_PYTHON": str(vllm.PYTHON)}


@contextmanager
def first_terminal(folder: Path) -> Iterator[vllm.RunningVllm]:
    """The guide's longer command, until it answers; what it prints is in `log_path`."""
    assert not is_taken("127.0.0.1", PORT), f"the guide's port {PORT} is taken on this machine: free it for the tests"
    vllm.ensure_installed()
    command = START_WITH_FLAGS.replace(MODEL, str(vllm.ensure_model())) + " --enforce-eager"
    screen = folder / "terminal-1"
    with screen.open("wb") as out:
        process = subprocess.Popen(
            shlex.split(command),
            cwd=ROOT,
            env=environment(),
            stdout=out,
            stderr=out,
            preexec_fn=ends_with_parent(),  # noqa: PLW1509
        )
    server = vllm.RunningVllm(
        base_url=f"http://127.0.0.1:{PORT}", model=vllm.SERVED_MODEL_NAME, log_path=screen, process=process
    )
    try:
        vllm.wait_ready(server, timeout_s=240)
        yield server
    finally:
        process.terminate()
        process.wait(60)
