"""What compose.yaml, the image and the documents name is there: settings, commands and their flags, vLLM's flags."""

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest

from configs.settings import PREFIX, known_environment
from deploy.healthcheck import answers
from server.broker.jars import KAFKA_VERSION
from server.ports import free_port
from server.vllm.command import command, parse

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]
DEPLOYED = [ROOT / "compose.yaml", ROOT / "Dockerfile", ROOT / "deploy/gpu.env"]
PROFILES = ("gpu", "lb", "redis", "observability", "dcgm", "*")
PACKAGES = "producer|consumer|pipeline|server|schemas"


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*DEPLOYED, *DOCUMENTS], ids=relative)
def test_every_image_of_kafka_is_of_the_version_that_is_tested(path: Path):
    named = re.findall(r"\bapache/kafka:(\S+)", path.read_text(encoding="utf-8"))
    assert set(named) <= {KAFKA_VERSION}
    assert named or path.name != "compose.yaml"


@pytest.mark.parametrize("path", [*DEPLOYED, *DOCUMENTS], ids=relative)
def test_every_setting_that_is_named_exists(path: Path):
    named = set(re.findall(rf"\b{PREFIX}[A-Z0-9_]*[A-Z0-9]\b", path.read_text(encoding="utf-8")))
    assert named <= known_environment()


def commands() -> dict[tuple[str, ...], set[str]]:
    """Flags that compose.yaml and the documents give to each `python -m PACKAGE [COMMAND]`."""
    found: dict[tuple[str, ...], set[str]] = {}
    for path in [*DEPLOYED, *DOCUMENTS]:
        for package, rest in re.findall(
            rf"python -m ({PACKAGES})\b(?!\.)([^\n`|&;]*)", path.read_text(encoding="utf-8")
        ):
            words = shlex.split(rest.partition(" #")[0].split("…")[0].replace("'", ""))
            sub = [word for word in words[:1] if re.fullmatch(r"[a-z][a-z-]*", word)]
            flags = {word.partition("=")[0].rstrip(".,:)") for word in words if word.startswith("--")}
            found.setdefault((package, *sub), set()).update(flags)
    return found


@pytest.mark.parametrize(
    ("words", "flags"), commands().items(), ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_that_is_named_exists_and_takes_its_flags(
    words: tuple[str, ...], flags: set[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", [words[0], *words[1:], "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(words[0], run_name="__main__", alter_sys=False)
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert words == ("server",) or " ".join(("python -m", *words)) in told
    assert words == ("server",) or flags <= set(re.findall(r"--[a-z][a-z0-9-]*", told))  # others it gives to vLLM


def test_the_environment_file_for_a_gpu_sets_what_compose_asks_for():
    given = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / "deploy/gpu.env").read_text(), re.MULTILINE))
    compose = (ROOT / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{(\w+)", compose)) | set(re.findall(r"^\s+([A-Z_]+):$", compose, re.MULTILINE))
    assert given <= asked | {"COMPOSE_PROFILES"}


@pytest.mark.parametrize(("path", "alive"), [("/livez", True), ("/nothing", False)])
def test_the_health_check_sees_what_answers(path: str, alive: bool):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        assert answers(server.server_port, path) is alive
        server.shutdown()


def test_the_health_check_sees_that_nothing_listens():
    assert not answers(free_port("127.0.0.1"))


def compose_config(*arguments: str, **environment: str) -> dict:
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "DOCKER_HOST")}
    done = subprocess.run(
        ["docker", "compose", "--project-directory", str(ROOT), *arguments, "config", "--format", "json"],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return json.loads(done.stdout)["services"]


@pytest.mark.container
@pytest.mark.parametrize("profile", PROFILES)
def test_compose_takes_each_profile_and_hardens_each_container(profile: str):
    services = compose_config("--profile", profile)
    assert set(services) > set(compose_config()) or profile == "*"
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("user", "").split(":")[0] not in ("", "0", "root") or name == "dcgm", name
        assert name == "vllm" or not any(each.get("host_ip") != "127.0.0.1" for each in service.get("ports", [])), name


@pytest.mark.container
def test_vllm_is_started_in_compose_as_the_launcher_starts_it():
    service = compose_config("--env-file", "deploy/gpu.env")["vllm"]
    given = [*service["entrypoint"], *service["command"]]
    assert flags_of(given) == flags_of(command(parse([]), python="python3", on_cpu=False))


@pytest.mark.container
def test_the_environment_file_for_a_gpu_leaves_the_embedded_server_out():
    services = compose_config("--env-file", "deploy/gpu.env")
    assert services["embedded"]["scale"] == 0
    assert services["worker"]["environment"]["VLLM_SERVER_URL"] == "http://vllm:8000/v1"


def flags_of(arguments: list[str]) -> set[tuple[str, str]]:
    """Each flag with its value."""
    return {
        (flag, "" if value.startswith("--") else value)
        for flag, value in pairwise([*arguments, "--"])
        if flag.startswith("--")
    }


@pytest.mark.parametrize("script", ["start_vllm_server.py", "run_semiconductor_qa.py"])
def test_a_script_without_its_packages_says_how_to_get_them(script: str):
    done = subprocess.run([sys.executable, "-S", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "make setup" in done.stderr
