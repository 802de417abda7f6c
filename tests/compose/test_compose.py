"""compose.yaml with its image, on a real engine: what a team would do with it, in order."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from itertools import pairwise
from threading import Event

import pytest

from configs.settings import load_settings
from messaging.reading import read_to_end
from schemas import Result, TopicNames, decode
from tests.compose.stack import READY_S, Stack, assert_hardened, docker, inspected, logs, running_stack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.compose, pytest.mark.timeout(3 * READY_S)]
WORKERS = 4
WAITING = 60
"""Files that are kept waiting while there has to be load: some 240 chunks, 15 s of work."""
LATENCY_MS = 1000
SLOTS = 16
"""Of the embedded model server: that many chunks a second, so that there is load while workers come and go."""
OVERRIDE = f"""services:
  embedded:
    command: python -m server embedded --host 0.0.0.0 --latency-ms {LATENCY_MS} --max-num-seqs {SLOTS}
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Up with one worker; the tests below go on from one another."""
    with running_stack(tmp_path_factory.mktemp("compose"), override=OVERRIDE) as stack:
        yield stack


def text(number: int) -> str:
    """Some 7,000 characters that no other number has, as a few chunks."""
    facts = [f"A type {number}-{part} laser is a light source that emits at {part + 193} nm." for part in range(110)]
    return " ".join(facts) + "\n"


def test_a_file_that_is_dropped_comes_out(stack: Stack):
    stack.drop("first.txt", "An excimer laser is a light source that emits at 193 nm.\n")
    eventually(lambda: "first.txt.json" in stack.published(), within_s=READY_S)
    assert "193 nm" in (stack.documents / "first.txt.json").read_text()


def test_no_container_is_root_or_can_write_or_gain_rights(stack: Stack):
    containers = stack.containers()
    assert len(containers) == 6
    for container in containers:
        assert_hardened(container)
        assert inspected(container)["HostConfig"]["Memory"]
        assert inspected(container)["HostConfig"]["PidsLimit"]


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
        began_s = time.time()
        for container in stack.containers("worker"):
            docker("restart", "--time", "90", container)
            eventually(lambda container=container: health(container) == "healthy", within_s=READY_S)
        ended_s = time.time()
        results_go_on(stack)
    stack.all_done()
    balance = stack.verify()
    times_s = await result_times_s(stack)
    rebalances_s = rebalances(stack, began_s)
    gaps_s = [later - earlier for earlier, later in pairwise(times_s) if later > began_s and earlier < ended_s]
    with capsys.disabled():
        print(f"\n{WORKERS} workers restarted in turn in {ended_s - began_s:.0f} s; {len(times_s)} results in all")
        print(f"longest without a result: {max(gaps_s):.2f} s; the longest of {len(rebalances_s)} rebalances as a")
        print(f"member saw it: {max(rebalances_s):.2f} s; balance: {balance}")
    assert len(gaps_s) > 10 * WORKERS, "there was no load while workers were restarted"


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
    eventually(lambda: len(stack.published()) > done_before + 10, within_s=READY_S)


def health(container: str) -> str:
    return inspected(container)["State"]["Health"]["Status"]


async def result_times_s(stack: Stack) -> list[float]:
    """When each result was sent, in order. No two are of the same chunk."""
    settings = load_settings({"bootstrap_servers": f"localhost:{stack.kafka_port}"})
    async with aclosing(read_to_end(settings, TopicNames("qa").results)) as records:
        found = [(record.timestamp / 1000, decode(Result, record.value).record_id) async for record in records]
    assert len({record_id for _, record_id in found}) == len(found), "a chunk has two results"
    return sorted(time_s for time_s, _ in found)


def rebalances(stack: Stack, since_s: float) -> list[float]:
    """Seconds from giving its partitions back to having them anew, of each worker at each rebalance."""
    lines = [
        json.loads(line)
        for container in stack.containers("worker")
        for line in logs(container, "--since", f"{since_s:.3f}").splitlines()
    ]
    return [line["rebalance_s"] for line in lines if "rebalance_s" in line]


def test_stopping_drains(stack: Stack):
    """Workers finish what they have begun: the model server sees no call broken off, and each ends with 0."""
    aborted = stack.calls("embedded")["abort"]
    with load(stack):
        results_go_on(stack)
        stack("stop", "worker")
    assert len(stack.published()) < stack.dropped(), "the load was over before the workers were stopped"
    assert [inspected(container)["State"]["ExitCode"] for container in stack.containers("worker")] == [0] * WORKERS
    assert stack.calls("embedded")["abort"] == aborted
    stack("stop")
    stack.up(workers=WORKERS)
    stack.all_done()
    stack.verify()
