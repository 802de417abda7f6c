"""docs/operations.md, done as it stands there: each script below is a block of its."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.waiting import eventually
from tests.compose.load import OVERRIDE, load, result_times_s, results_go_on
from tests.compose.stack import READY_S, Stack, docker, inspected, running_stack

pytestmark = [pytest.mark.compose, pytest.mark.timeout(3 * READY_S)]
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
WORKERS = 4


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Four workers; the tests below go on from one another."""
    with running_stack(tmp_path_factory.mktemp("operations"), override=OVERRIDE, workers=WORKERS) as stack:
        (stack.directory / "data").mkdir()
        (stack.directory / "data" / "qa_compose").symlink_to(stack.directory / "results")
        yield stack


def script(stack: Stack, section: str, number: int = 0) -> str:
    """A block of a section; volumes are those of the test's project."""
    (chapter,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    blocks = re.findall(r"(?:^    .+\n)+", chapter, re.MULTILINE)
    return re.sub(r"\bqastream_(?=\w)", f"{stack.project}_", blocks[number])


async def test_an_upgrade_one_worker_at_a_time(stack: Stack):
    """Under load; in the end all processes are made of the new image, and no chunk has two results."""
    override = stack.directory / "override.yaml"
    override.write_text(f"{override.read_text()}  topics: {{build: {{args: {{REVISION: next}}}}}}\n")
    processes = ("producer", "sink", "worker")
    old = {inspected(container)["Image"] for container in stack.containers(*processes)}
    with load(stack):
        results_go_on(stack)
        stack.shell(script(stack, "Upgrade", 1))
        results_go_on(stack)
    assert len(stack.containers("worker")) == WORKERS
    new = {inspected(container)["Image"] for container in stack.containers(*processes)}
    assert len(new) == 1
    assert not new & old
    stack.all_done()
    stack.verify()
    await result_times_s(stack)


def test_partitions_are_raised_under_load(stack: Stack):
    with load(stack):
        results_go_on(stack)
        stack.shell(script(stack, "Change the partitions"))
        eventually(lambda: owned(stack) == set(range(24)), within_s=READY_S, what=lambda: owned(stack))
        results_go_on(stack)
    stack.all_done()
    stack.verify()


def owned(stack: Stack) -> set[int]:
    """Partitions that some worker answers."""
    said = json.loads(stack("exec", "sink", "python", "-m", "pipeline", "status", "--json"))
    return {partition for worker in said["workers"] for partition in worker["partitions"]}


def test_documents_are_regenerated_and_forgotten(stack: Stack):
    stack.drop("old.md", "An excimer laser is a light source that emits at 193 nm.\n")
    eventually(lambda: "old.md.json" in stack.published(), within_s=READY_S)
    stack.shell(script(stack, "Regenerate, forget").replace("'old/*'", "'old*'"))
    eventually(lambda: "old.md.json" not in stack.published(), within_s=READY_S)
    (stack.texts / "old.md").unlink()


def test_what_failed_is_looked_at_and_replayed(stack: Stack):
    stack.drop("picture.md", "\0\1\2" * 50)
    eventually(lambda: "binary" in stack("exec", "worker", *LETTERS), within_s=READY_S)
    stack.shell(script(stack, "Replay what failed", 0))
    stack.shell(script(stack, "Replay what failed", 1).replace("'reports/*'", "'picture*'"))
    (stack.texts / "picture.md").unlink()


LETTERS = ("python", "-m", "consumer", "dead-letters", "list")


def test_a_backup_is_restored_and_the_group_goes_on(stack: Stack):
    """Kafka's data is deleted in between. Nothing is answered again."""
    stack.shell(script(stack, "Back up, restore", 0))
    eventually(lambda: not stack.not_ready(), within_s=READY_S, what=stack.not_ready)
    stack.shell(script(stack, "Back up, restore", 1))
    eventually(lambda: not stack.not_ready(), within_s=READY_S, what=stack.not_ready)
    stack.drop("after.txt", "An ion implanter is a machine that dopes wafers at 30 keV.\n")
    eventually(lambda: "after.txt.json" in stack.published(), within_s=READY_S)
    assert sum(stack.calls("embedded").values()) == 1


def test_the_cache_moves(stack: Stack):
    with_workers, elsewhere = script(stack, "Move the cache").rsplit("\n    docker run", 1)
    stack.shell(with_workers)
    volume = f"{stack.project}_elsewhere"
    try:
        stack.shell(f"docker run{elsewhere}".replace(f"{stack.project}_cache", volume))
        listed = docker("run", "--rm", "-v", f"{volume}:/cache", "qastream", "ls", "/cache")
        assert "generations.sqlite" in listed.split()
    finally:
        docker("volume", "rm", "-f", volume)
