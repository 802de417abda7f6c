"""The vLLM guide holds word for word: its JSON is ours, and each of its commands is run as it stands there.

Only what needs the guide's GPU is replaced: its model by a tiny one on the CPU. The guide's port 8000 must be free.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from configs.settings import load_settings
from schemas import Result, decode
from server.ports import is_taken
from tests.support.pipeline import documents, records
from tests.support.waiting import eventually
from tests.vllm_cpu import server as vllm

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "vllm-http-guide.md").read_text(encoding="utf-8")
MODEL = "/mnt/workspace/models/Qwen/QwQ-32B/"

START = "python start_vllm_server.py"
START_WITH_FLAGS = (
    f"{START} --model-path {MODEL} --port 8000 --gpu-memory-utilization 0.95 --tensor-parallel-size 1 "
    "--max-model-len 32768"
)
START_ON_FOUR_GPUS = f"{START} --tensor-parallel-size 4"
RUN_WITH_FILE = (
    "python run_semiconductor_qa.py --input-dir data/texts --output-dir data/qa_results --config config_vllm_http.json"
)
RUN = "python run_semiconductor_qa.py --input-dir data/texts --output-dir data/qa_results"
EXPORT_URL = "export VLLM_SERVER_URL=http://localhost:8000/v1"
EXPORT_KEY = "export VLLM_API_KEY=your-api-key"
CHECK = "python -m LocalModels.vllm_http_client"
RUN_BELOW = {START, START_WITH_FLAGS, START_ON_FOUR_GPUS, RUN_WITH_FILE, RUN, EXPORT_URL, EXPORT_KEY, CHECK}

pytestmark = pytest.mark.timeout(420)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def commands() -> set[str]:
    lines = "\n".join(blocks("bash")).replace("\\\n", " ").splitlines()
    return {shlex.join(shlex.split(line)) for line in lines if line.strip() and not line.startswith("#")}


@dataclass(frozen=True, slots=True)
class Terminal:
    """A shell in a checkout whose data is the test's."""

    checkout: Path
    env: dict[str, str]

    def run(self, command: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.checkout,
            env=self.env | more,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    checkout = tmp_path_factory.mktemp("checkout")
    for entry in ROOT.iterdir():
        if entry.name != "data" and not entry.name.startswith("."):
            (checkout / entry.name).symlink_to(entry)
    (checkout / "data" / "texts").mkdir(parents=True)
    (checkout / "data" / "texts" / "光刻.txt").write_text("光刻是一种把掩模版上的图形转移到晶圆上的工艺。\n")
    (checkout / "data" / "texts" / "laser.md").write_text("# Lasers\n\nAn excimer laser emits at 193 nm.\n")
    python = Path(sys.executable).parent
    env = vllm.environment() | {
        "PATH": f"{python}:{os.environ['PATH']}",
        "QASTREAM_VLLM_PYTHON": str(vllm.PYTHON),
    }
    return Terminal(checkout, env)


@pytest.fixture(scope="module")
def banner(terminal: Terminal) -> Iterator[str]:
    """Terminal 1 of the guide, with the tiny model; gives what it printed until it answered."""
    assert not is_taken("127.0.0.1", 8000), "the guide's port 8000 is taken on this machine: free it for this test"
    vllm.ensure_installed()
    command = START_WITH_FLAGS.replace(MODEL, str(vllm.ensure_model())) + " --enforce-eager"
    out = terminal.checkout / "terminal-1"
    with out.open("wb") as screen:
        process = subprocess.Popen(
            shlex.split(command), cwd=terminal.checkout, env=terminal.env, stdout=screen, stderr=screen
        )
    try:
        eventually(
            lambda: terminal.run(CHECK).returncode == 0 or process.poll() is not None,
            within_s=240,
            what=lambda: out.read_text()[-4000:],
        )
        assert process.poll() is None, out.read_text()[-4000:]
        yield out.read_text()
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def kafka_env(make_settings) -> dict[str, str]:
    settings = make_settings()
    return {"KAFKA_BOOTSTRAP_SERVERS": settings.brokers, "QASTREAM_NAMESPACE": settings.namespace}


def test_the_config_file_is_the_guides():
    whole, _ = map(json.loads, blocks("json"))
    assert json.loads((ROOT / "configs" / "config_vllm_http.json").read_text()) == whole


def test_the_guides_remote_example_works_alone(tmp_path: Path):
    _, remote = blocks("json")
    (tmp_path / "remote.json").write_text(remote)
    assert load_settings(config=str(tmp_path / "remote.json")).model_urls == ("http://remote-server:8000/v1",)


def test_no_command_of_the_guide_is_left_out_here():
    assert commands() == RUN_BELOW


@pytest.mark.parametrize("command", [START, START_WITH_FLAGS, START_ON_FOUR_GPUS])
def test_without_the_guides_model_the_start_says_so_in_one_line(terminal: Terminal, command: str):
    done = terminal.run(command)
    assert done.returncode in (1, 2)
    assert MODEL.rstrip("/") in done.stderr
    assert "Traceback" not in done.stderr


def test_the_banner_is_the_guides(banner: str):
    [expected] = [block for block in re.findall(r"```\n(.*?)```", GUIDE, re.DOTALL) if "启动vLLM服务器" in block]
    ours = expected.replace(MODEL, str(vllm.ensure_model()))
    assert ours.strip() in banner


def test_the_connection_test_prints_what_the_guide_shows(terminal: Terminal, banner: str):
    done = terminal.run(f"{EXPORT_KEY}; {CHECK}")
    first, second, third, *_ = done.stdout.splitlines()
    assert (first, second) == ("成功连接到vLLM服务器", "Question: 什么是半导体？")
    assert third.startswith("Answer: ")


def test_texts_are_processed_with_the_config_file(terminal: Terminal, banner: str, kafka_env):
    processed(terminal, RUN_WITH_FILE, kafka_env)


def test_texts_are_processed_with_the_address_in_the_environment(terminal: Terminal, banner: str, kafka_env):
    processed(terminal, f"{EXPORT_URL}; {RUN}", kafka_env)


def processed(terminal: Terminal, command: str, kafka_env: dict[str, str]) -> None:
    """Random weights may answer nonsense that is refused (3); each chunk has its outcome all the same."""
    output = terminal.checkout / "data" / "qa_results"
    done = terminal.run(f"rm -rf {output}; {command}", **kafka_env)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    results = [decode(Result, line) for line in records(output).values()]
    assert {result.document.path for result in results} == {"光刻.txt", "laser.md"}
    assert {result.model.name for result in results} == {"qwen-vllm"}
    assert len(documents(output)) == 2
