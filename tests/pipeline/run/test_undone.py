"""A run over a directory of which something can't be read: the rest is done, and what is left is named."""

import os
import sys
from functools import partial
from io import StringIO
from pathlib import Path
from typing import ClassVar

import pytest

from configs.settings import load_settings
from pipeline.errors import PipelineError
from pipeline.progress.view import PlainView
from pipeline.run.lifecycle import Run
from pipeline.run.plan import make_plan
from pipeline.run.undone import may_end, undone_file
from tests.support.embedded import embedded_server
from tests.support.pipeline import documents, pipeline

LATENCY_MS = 1500
"""The producer has ended before anything is answered."""


def unreadable(root: Path) -> None:
    """A folder whose path is longer than the system takes: not even root can read it."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=folder)
        inner = os.open("d" * 250, os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)


def test_the_rest_is_done_and_what_could_not_be_read_is_named(tmp_path: Path, make_settings):
    texts, output, settings = tmp_path / "texts", tmp_path / "out", make_settings()
    texts.mkdir()
    (texts / "good.txt").write_text("An excimer laser is a light source that emits at 193 nm.\n")
    unreadable(texts)
    with embedded_server(tmp_path, latency_ms=LATENCY_MS) as model:
        flags = ["--once", "--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace]
        with pipeline(texts, output, *flags, "--model-urls", model.base_url, "--settle-ms", 0) as running:
            assert running.end() == 1, f"{running.said}\n{running.logs}"
    assert "Done: 1 files, 1 chunks" in running.said
    assert f"Left undone; fix the cause and run it again (1):\n    {'d' * 250}/" in running.said
    assert "File name too long" in running.said
    assert [d["document"]["path"] for d in documents(output).values()] == ["good.txt"]


class Reached:
    """A topic all of which is read."""

    read: ClassVar[dict[int, int]] = {}

    async def ends(self) -> dict[int, int]:
        return {}

    async def has_reached(self, _: dict[int, int]) -> bool:
        return True


async def ended(tmp_path: Path, code: str) -> Run:
    """A run that has nothing to wait for but the end of its producer."""
    settings = load_settings({"input_dir": tmp_path / "in", "output_dir": tmp_path})
    run = Run(make_plan(settings, once=True), PlainView(StringIO()), os.environ)
    run.plan.layout.home.mkdir()
    program = [sys.executable, "-c", code, str(undone_file(run.plan.layout.home))]
    ends = partial(may_end, run.plan.layout.home)
    [producer] = run.family.start({"producer": program}, os.environ, grace_s=1, may_end=ends)
    await run._until_done(producer, Reached(), Reached())
    return run


async def test_what_was_left_is_known_when_all_was_answered_before(tmp_path: Path):
    run = await ended(tmp_path, """import sys; open(sys.argv[1], "w").write('{"a": "why"}'); sys.exit(1)""")
    assert run.undone == {"a": "why"}


@pytest.mark.parametrize("code", ["raise SystemExit(1)", "import os; os.kill(os.getpid(), 9)"])
async def test_a_producer_that_failed_ends_the_run_when_all_was_answered_before_too(tmp_path: Path, code: str):
    with pytest.raises(PipelineError):
        await ended(tmp_path, code)


@pytest.mark.parametrize("said", ["", "{", "[]", '{"a": 1}', "{}"])
def test_a_producer_that_did_not_say_what_it_left_has_failed(tmp_path: Path, said: str):
    (tmp_path / "undone.json").write_text(said)
    assert not may_end(tmp_path, 1)
