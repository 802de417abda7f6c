"""The profiles of compose.yaml, on a real engine. What needs a GPU is replaced: vLLM by two embedded model servers."""

import json
import re
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from chaos.waiting import eventually
from server.ports import free_port
from tests.compose.stack import READY_S, Stack, assert_hardened, running_stack

pytestmark = [pytest.mark.compose, pytest.mark.timeout(3 * READY_S)]
GRAFANA = "grafana/grafana:13.2.2"
SERVER = """
  {name}:
    image: qastream
    user: "1000:1000"
    entrypoint: !reset null
    command: python -m server embedded --host 0.0.0.0 --port 8000 --latency-ms 20
    deploy: !reset null
    volumes: !reset null
    ports: !reset null
"""
SERVERS = ("vllm", "vllm-2")
OVERRIDE = "services:" + "".join(SERVER.format(name=name) for name in SERVERS)
WORKERS = 2
FILES = 30


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All profiles but NVIDIA's exporter; the tests below go on from one another."""
    override = OVERRIDE if has_image(GRAFANA) else f"{OVERRIDE}\n  grafana: {{profiles: !override [no-image]}}\n"
    environment = {
        "COMPOSE_PROFILES": "gpu,lb,redis,observability",
        "EMBEDDED_SERVERS": "0",
        "VLLM_SERVER_URL": "http://lb:8000/v1",
        "QASTREAM_CACHE_URL": "redis://redis:6379/0",
        **{name: str(free_port("127.0.0.1")) for name in ("LB_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")},
    }
    directory = tmp_path_factory.mktemp("profiles")
    with running_stack(directory, override=override, environment=environment, workers=WORKERS) as stack:
        yield stack


def has_image(name: str) -> bool:
    """Here, or to be pulled."""
    inspect, pull = ["docker", "image", "inspect", name], ["docker", "pull", "--quiet", name]
    return any(not subprocess.run(command, capture_output=True, check=False).returncode for command in (inspect, pull))


def text(number: int) -> str:
    return f"A type {number} laser is a light source that emits at {number + 193} nm.\n"


def drop(stack: Stack, numbers: range) -> None:
    for number in numbers:
        stack.drop(f"{number}.txt", text(number))
    stack.all_done()


def said(port: str, path: str, **headers: str) -> dict:
    with urlopen(Request(f"http://127.0.0.1:{port}{path}", headers=headers)) as response:
        return json.load(response)


def test_all_are_up_without_root(stack: Stack):
    for container in stack.containers():
        assert_hardened(container)
    assert len(stack.containers("redis", "lb", "prometheus", *SERVERS)) == 5
    assert not stack.containers("embedded")


def test_nginx_shares_the_calls_and_one_server_may_go(stack: Stack):
    drop(stack, range(FILES))
    assert all(stack.calls(server)["stop"] > 0 for server in SERVERS)
    stack("stop", "vllm-2")
    drop(stack, range(FILES, 2 * FILES))
    stack.verify()
    stack("start", "vllm-2")
    eventually(lambda: not stack.not_ready(), within_s=READY_S, what=stack.not_ready)
    drop(stack, range(2 * FILES, 3 * FILES))
    eventually(lambda: stack.calls("vllm-2")["stop"] > 0, within_s=READY_S)


def test_the_cache_is_in_redis_and_workers_share_it(stack: Stack):
    size = int(stack("exec", "-T", "redis", "redis-cli", "dbsize"))
    assert size >= 3 * FILES
    for number in range(FILES):
        stack.drop(f"again-{number}.txt", text(number))
    stack.all_done()
    assert int(stack("exec", "-T", "redis", "redis-cli", "dbsize")) == size


def test_prometheus_hears_every_process_and_has_the_rules(stack: Stack):
    port = stack.environment["PROMETHEUS_PORT"]

    def up() -> dict[str, int]:
        found = said(port, "/api/v1/targets?state=active")["data"]["activeTargets"]
        jobs = [target["labels"]["job"] for target in found if target["health"] == "up"]
        return {job: jobs.count(job) for job in sorted(set(jobs))}

    wanted = {"qastream-producer": 1, "qastream-sink": 1, "qastream-worker": WORKERS, "vllm": 1, "vllm-2": 1}
    eventually(lambda: up() == wanted, within_s=READY_S, what=up)
    (group,) = said(port, "/api/v1/rules")["data"]["groups"]
    written = stack("exec", "-T", "prometheus", "cat", "/etc/prometheus/alerts.yml")
    assert len(group["rules"]) == len(re.findall(r"- alert:", written))


def test_grafana_shows_the_dashboard(stack: Stack):
    if not has_image(GRAFANA):
        pytest.skip(f"the image {GRAFANA} is not there and can't be pulled")
    key = b64encode(b"admin:admin").decode()
    found = said(stack.environment["GRAFANA_PORT"], "/api/search?query=QAStream", Authorization=f"Basic {key}")
    assert [each["uid"] for each in found] == ["qastream"]
