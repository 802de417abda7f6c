import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ["check", "embedded", "broker"])
def test_each_command_explains_itself(name: str):
    done = run("-m", "server", name, "--help")
    assert done.returncode == 0
    assert f"python -m server {name}" in done.stdout


def test_the_help_names_the_other_commands():
    done = run("-m", "server", "--help")
    assert "python -m server broker" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "server", "broker"),
        ("-m", "server", "broker", "--data-dir", "x", "--port", "99999"),
        ("-m", "server", "embedded", "--max-num-seqs", "0"),
        ("-m", "server", "--port", "x"),
    ],
)
def test_wrong_usage_ends_with_2_and_no_traceback(command: tuple[str, ...]):
    done = run(*command)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("shim", [("start_vllm_server.py",), ("-m", "LocalModels.vllm_http_client")])
def test_the_guides_names_stand_for_ours(shim: tuple[str, ...]):
    done = run(*shim, "--help")
    assert done.returncode == 0
    assert "python -m server" in done.stdout
