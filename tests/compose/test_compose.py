"""compose.yaml with its image, on a real engine: what a team would do with it, in order."""

import json
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from chaos.waiting import eventually
from tests.compose.load import OVERRIDE, load, result_times_s, results_go_on
from tests.compose.stack import READY_S, Stack, assert_hardened, docker, inspected, logs, running_stack

pytestmark = [pytest.mark.compose, pytest.mark.timeout(3 * READY_S)]
WORKERS = 4


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Up with one worker; the tests below go on from one another."""
    with running_stack(tmp_path_factory.mktemp("compose"), override=OVERRIDE) as stack:
        yield stack


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


def health(container: str) -> str:
    return inspected(container)["State"]["Health"]["Status"]


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
