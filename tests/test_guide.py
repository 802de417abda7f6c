"""The vLLM guide holds word for word: its JSON is ours, and each of its commands is run as it stands there.

Only what needs the guide's GPU is replaced: its model by a tiny one on the CPU. The guide's port 8000 must be free.
"""

import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from configs.settings import load_settings
from schemas import Result, decode
from tests.support.guide import MODEL, PORT, START, START_WITH_FLAGS, environment
from tests.support.pipeline import documents, records
from tests.vllm_cpu.server import MODEL_DIR

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "vllm-http-guide.md").read_text(encoding="utf-8")
START_ON_FOUR_GPUS = f"{START} --tensor-parallel-size 4"
RUN_WITH_FILE = (
    "python run_semiconductor_qa.py --input-dir data/texts --output-dir data/qa_results --config config_vllm_http.json"
)
RUN = "python run_semiconductor_qa.py --input-dir data/texts --output-dir data/qa_results"
EXPORT_URL = f"export VLLM_SERVER_URL=http://localhost:{PORT}/v1"
EXPORT_KEY = "export VLLM_API_KEY=your-api-key"
CHECK = "python -m LocalModels.vllm_http_client"
RUN_BELOW = {START, START_WITH_FLAGS, START_ON_FOUR_GPUS, RUN_WITH_FILE, RUN, EXPORT_URL, EXPORT_KEY, CHECK}

pytestmark = pytest.mark.timeout(420)


def blocks(language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    return [text for name, text in fenced if name == language]


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
    return Terminal(checkout, environment())


@pytest.fixture
def kafka_env(make_settings) -> dict[str, str]:
    settings = make_settings()
    return {"KAFKA_BOOTSTRAP_SERVERS": settings.kafka.brokers, "QASTREAM_NAMESPACE": settings.kafka.namespace}


def test_the_config_file_is_the_guides():
    whole, _ = map(json.loads, blocks("json"))
    assert json.loads((ROOT / "configs" / "config_vllm_http.json").read_text()) == whole


def test_the_guides_remote_example_works_alone(tmp_path: Path):
    _, remote = blocks("json")
    (tmp_path / "remote.json").write_text(remote)
    assert load_settings(config=str(tmp_path / "remote.json")).model.model_urls == ("http://remote-server:8000/v1",)


def test_no_command_of_the_guide_is_left_out_here():
    assert commands() == RUN_BELOW


@pytest.mark.parametrize("command", [START, START_WITH_FLAGS, START_ON_FOUR_GPUS])
def test_without_the_guides_model_the_start_says_so_in_one_line(terminal: Terminal, command: str):
    done = terminal.run(command)
    assert done.returncode in (1, 2)
    assert MODEL.rstrip("/") in done.stderr
    assert "Traceback" not in done.stderr


def test_the_banner_is_the_guides(vllm_cpu):
    expected, _ = blocks("")
    assert expected.replace(MODEL, str(MODEL_DIR)).strip() in vllm_cpu.log_path.read_text()


def test_the_connection_test_prints_what_the_guide_shows(terminal: Terminal, vllm_cpu):
    done = terminal.run(f"{EXPORT_KEY}; {CHECK}")
    first, second, third, *_ = done.stdout.splitlines()
    assert (first, second) == ("成功连接到vLLM服务器", "Question: 什么是半导体？")
    assert third.startswith("Answer: ")


def test_texts_are_processed_with_the_config_file(terminal: Terminal, vllm_cpu, kafka_env):
    processed(terminal, RUN_WITH_FILE, kafka_env)


def test_texts_are_processed_with_the_address_in_the_environment(terminal: Terminal, vllm_cpu, kafka_env):
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
