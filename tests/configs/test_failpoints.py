import ast
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.plan import FIRST, POINTS
from configs.errors import SettingsError
from configs.failpoints import ENVIRONMENT, LOG_ENVIRONMENT, Failpoint, Failpoints, from_environment, parse

ROOT = Path(__file__).resolve().parents[2]


def test_what_is_armed_is_done_at_its_turn_and_no_other(tmp_path: Path):
    done: list[Failpoint] = []
    log = tmp_path / "fired.log"
    armed = Failpoints(parse("a.b=kill@2,c=hold:0.5"), log=str(log), act=done.append)
    for name in ("a.b", "other", "a.b", "c", "a.b", "c"):
        armed.hit(name)
    assert done == [Failpoint("a.b", "kill", at=2), Failpoint("c", "hold", 0.5)]
    assert [json.loads(line)["name"] for line in log.read_text().splitlines()] == ["a.b", "c"]


@pytest.mark.parametrize("text", ["a", "a=explode", "a=kill@0", "a=hold", "=kill"])
def test_a_mistyped_one_is_an_error_and_not_a_run_without_faults(text: str):
    with pytest.raises(SettingsError, match=ENVIRONMENT):
        parse(text)


def test_without_the_environment_there_is_none():
    assert from_environment({}) is None
    assert from_environment({ENVIRONMENT: ""}) is None


def test_a_process_is_killed_at_the_step_and_leaves_word(tmp_path: Path):
    program = "from configs.failpoints import hit\nhit('x')\nprint('on', flush=True)\nhit('x')\nprint('never')"
    log = tmp_path / "fired.log"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={ENVIRONMENT: "x=kill@2", LOG_ENVIRONMENT: str(log)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "on\n")
    assert json.loads(log.read_text())["at"] == 2


def test_the_chaos_runs_kill_at_every_step_of_the_worker():
    """A step that is added there is killed at here, or this fails."""
    hits = {
        node.args[0].value
        for file in (ROOT / "consumer" / "worker").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hit"
    }
    assert hits == {*POINTS, *FIRST}
