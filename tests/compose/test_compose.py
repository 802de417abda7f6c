"""compose.yaml with its image, on a real engine: what a team would do with it, in order."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from threading import Event

import pytest

from configs.settings import load_settings
from messaging.reading import read_to_end
from schemas import TopicNames
from tests.compose.stack import Stack, docker, inspected, make_stack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]
WORKERS = 4
WAITING = 60
"""Files that are kept waiting while there has to be load: some 240 chunks, 15 s of work."""
REBALANCE_S = 10.0
"""A worker's session time-out: no rebalance may take longer."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Up with one worker; the tests below go on from one another."""
    stack = make_stack(tmp_path_factory.mktemp("compose"))
    try:
        stack("build", "--quiet")
        stack.up()
        yield stack
    finally:
        stack("down", "-v", "--remove-orphans", "--timeout", "10")


def text(number: int) -> str:
    """Some 7,000 characters that no other number has, as a few chunks."""
    facts = [f"A type {number}-{part} laser is a light source that emits at {part + 193} nm." for part in range(110)]
    return " ".join(facts) + "\n"


def test_a_file_that_is_dropped_comes_out(stack: Stack):
    stack.drop("first.txt", "An excimer laser is a light source that emits at 193 nm.\n")
    eventually(lambda: "first.txt.json" in stack.published(), within_s=60)
    assert "193 nm" in (stack.documents / "first.txt.json").read_text()


def test_no_container_is_root_or_can_write_or_gain_rights(stack: Stack):
    containers = stack.containers()
    assert len(containers) == 6
    for container in containers:
        found = inspected(container)
        host = found["HostConfig"]
        assert not re.match(r"(root|0)?(:|$)", found["Config"]["User"])
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Memory"]
        assert host["PidsLimit"]


@pytest.mark.parametrize("service", ["kafka", "producer", "worker", "sink", "embedded"])
def test_its_root_is_read_only_indeed(stack: Stack, service: str):
    said = stack("exec", "-T", service, "sh", "-c", "touch /x 2>&1; touch /opt/x 2>&1; id -u", check=False)
    assert said.count("Read-only file system") == 2
    assert said.split()[-1] != "0"


async def test_workers_are_added_and_restarted_in_turn_under_load(stack: Stack, capsys: pytest.CaptureFixture[str]):
    with load(stack):
        results_go_on(stack)
        stack.up(workers=WORKERS)
        results_go_on(stack)
        began = time.monotonic()
        for container in stack.containers("worker"):
            docker("restart", "--time", "90", container)
            eventually(lambda container=container: health(container) == "healthy", within_s=120)
        took_s = time.monotonic() - began
        results_go_on(stack)
    all_done(stack)
    balance = stack.verify()
    gaps = await commit_gaps_s(stack)
    with capsys.disabled():
        print(f"\n{WORKERS} workers restarted in turn in {took_s:.0f} s; {len(gaps) + 2} results")
        print(f"longest without a committed result: {max(gaps):.1f} s; balance: {balance}")
    assert max(gaps) < REBALANCE_S


@contextmanager
def load(stack: Stack) -> Iterator[None]:
    """Files are kept waiting as long as the context lasts."""
    over = Event()

    def feed() -> None:
        while not over.wait(0.2):
            for number in range(stack.dropped(), len(stack.published()) + WAITING):
                stack.drop(f"{number:04}.txt", text(number))

    with ThreadPoolExecutor(max_workers=1) as pool:
        feeding = pool.submit(feed)
        try:
            yield
        finally:
            over.set()
        feeding.result()


def results_go_on(stack: Stack) -> None:
    done_before = len(stack.published())
    eventually(lambda: len(stack.published()) > done_before + 10, within_s=120)


def health(container: str) -> str:
    return inspected(container)["State"]["Health"]["Status"]


def all_done(stack: Stack) -> None:
    eventually(lambda: len(stack.published()) == stack.dropped(), within_s=240)


async def commit_gaps_s(stack: Stack) -> list[float]:
    """Seconds between one committed result and the next, after the first file's."""
    settings = load_settings({"bootstrap_servers": f"localhost:{stack.kafka_port}"})
    times = [record.timestamp / 1000 async for record in read_to_end(settings, TopicNames("qa").results)]
    return [later - earlier for earlier, later in pairwise(sorted(times)[1:])]


def test_stopping_drains(stack: Stack):
    """Workers finish what they have begun: the model server sees no call broken off, and each ends with 0."""
    with load(stack):
        results_go_on(stack)
        stack("stop", "worker")
    assert len(stack.published()) < stack.dropped(), "the load was over before the workers were stopped"
    assert [inspected(container)["State"]["ExitCode"] for container in stack.containers("worker")] == [0] * WORKERS
    assert calls(stack)["abort"] == 0
    stack("stop")
    stack.up(workers=WORKERS)
    all_done(stack)
    stack.verify()


def calls(stack: Stack) -> dict[str, float]:
    """Of the model server, by how they finished."""
    read = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8000/metrics').read().decode())"
    metrics = stack("exec", "-T", "embedded", "python", "-c", read)
    return {name: float(count) for name, count in re.findall(r'finished_reason="(\w+)"\} ([\d.]+)', metrics)}
