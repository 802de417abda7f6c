"""The launcher with a program in the place of vLLM's interpreter; on the real vLLM it is run with the guide's commands."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.waiting import eventually
from server.ports import free_port
from server.vllm.launcher import gpu_visible

ROOT = Path(__file__).resolve().parents[3]

# Answers the question which build it is, then stands in for `python -m vllm...`.
INTERPRETER = """#!{python}
import json, os, sys
if sys.argv[1] == "-c":
    print(json.dumps({{"installed": {installed}, "on_cpu": {on_cpu}}}))
    sys.exit()
os.execv(sys.executable, [sys.executable, "-c", {body!r}, *sys.argv[1:]])
"""
ANSWERS = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from server.embedded.app import main
flags = dict(zip(sys.argv[1:], sys.argv[2:]))
print("loading", flags["--model"], flush=True)
sys.exit(main(["--host", flags["--host"], "--port", flags["--port"], "--served-model-name", "qwen-vllm"]))
"""


@pytest.fixture
def interpreter(tmp_path: Path):
    def make(body: str, *, installed: bool = True, on_cpu: bool = True) -> str:
        script = tmp_path / "python"
        script.write_text(INTERPRETER.format(python=sys.executable, installed=installed, on_cpu=on_cpu, body=body))
        script.chmod(0o755)
        return str(script)

    return make


def command(python: str, tmp_path: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "server", "--vllm-python", python, "--model-path", str(tmp_path), *more]


def run(python: str, tmp_path: Path, *more: str, **env: str) -> "subprocess.CompletedProcess[str]":
    arguments = command(python, tmp_path, "--port", str(free_port("127.0.0.1")), *more)
    return subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env=os.environ | env
    )


def test_it_says_when_vllm_answers_and_passes_signals_on(interpreter, tmp_path: Path):
    port = free_port("127.0.0.1")
    arguments = command(interpreter(ANSWERS), tmp_path, "--host", "127.0.0.1", "--port", str(port))
    out = tmp_path / "out"
    with out.open("w") as screen:
        process = subprocess.Popen(arguments, cwd=ROOT, stdout=screen, stderr=screen)
    ready = f"ready: http://127.0.0.1:{port}/v1 (model qwen-vllm)"
    eventually(lambda: ready in out.read_text() or process.poll() is not None, what=out.read_text)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    lines = out.read_text().splitlines()
    assert lines[0] == "=" * 60
    assert f"loading {tmp_path}" in lines


def test_vllms_exit_code_and_the_cause_of_its_end(interpreter, tmp_path: Path):
    done = run(interpreter("import sys; print('CUDA out of memory'); sys.exit(7)"), tmp_path)
    assert done.returncode == 7
    assert done.stderr.startswith("error: GPU内存不足")
    assert done.stderr.count("\n") == 1


def test_an_end_by_a_signal_is_128_and_its_number(interpreter, tmp_path: Path):
    assert run(interpreter("import os; os.kill(os.getpid(), 9)"), tmp_path).returncode == 137


def test_an_end_that_nobody_asked_for_is_a_failure(interpreter, tmp_path: Path):
    assert run(interpreter("pass"), tmp_path).returncode == 1


def test_vllm_is_not_installed(interpreter, tmp_path: Path):
    done = run(interpreter("", installed=False), tmp_path)
    assert done.returncode == 1
    assert "make vllm" in done.stderr


def test_no_interpreter(tmp_path: Path):
    done = run("/no/such/python", tmp_path)
    assert done.returncode == 2
    assert "QASTREAM_VLLM_PYTHON" in done.stderr


def test_no_model(interpreter, tmp_path: Path):
    done = run(interpreter(""), tmp_path / "missing")
    assert done.returncode == 2
    assert "检查模型路径是否正确" in done.stderr


def test_a_taken_port(interpreter, tmp_path: Path):
    with socket.create_server(("0.0.0.0", 0)) as server:
        done = run(interpreter(""), tmp_path, "--port", str(server.getsockname()[1]))
    assert done.returncode == 1
    assert "is taken" in done.stderr


def test_the_gpu_build_needs_a_gpu(interpreter, tmp_path: Path):
    done = run(interpreter("", on_cpu=False), tmp_path, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 1
    assert "nvidia-smi" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="devices are files on Linux")
def test_gpus_are_seen_by_their_devices(monkeypatch, tmp_path: Path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert not gpu_visible(tmp_path)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    assert gpu_visible(tmp_path)
