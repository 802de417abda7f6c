import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from configs import cli
from configs.cli import printable
from configs.errors import QAStreamError, SettingsError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("error", "code"), [(QAStreamError("broken"), 1), (SettingsError("broken"), 2)])
def test_a_users_mistake_is_one_line_and_a_code(error, code, capsys):
    def main() -> int:
        raise error

    with pytest.raises(SystemExit) as end:
        cli.run(main)
    assert end.value.code == code
    assert capsys.readouterr().err == "error: broken\n"


def test_flags_reach_the_settings():
    parser = argparse.ArgumentParser()
    cli.add_settings(parser, *cli.WORKER, *cli.MODEL, *cli.PRODUCER, *cli.SINK, *cli.KAFKA, *cli.LOGS)
    args = parser.parse_args(["--concurrency", "3", "--no-cache", "--model-urls", "http://a/v1,http://b/v1"])
    settings = cli.settings_from(args)
    assert (settings.worker.concurrency, settings.worker.cache, len(settings.model.model_urls)) == (3, False, 2)


def test_help_teaches(capsys):
    parser = argparse.ArgumentParser()
    cli.add_settings(parser, *cli.WORKER)
    parser.print_help()
    text = capsys.readouterr().out
    assert "QASTREAM_CONCURRENCY" in text
    assert "default 64" in text


@pytest.mark.parametrize("optimize", ["1", "2"])
@pytest.mark.parametrize("program", ["producer", "consumer", "server", "pipeline"])
def test_python_without_its_asserts_is_refused_in_a_line(program, optimize):
    done = subprocess.run(
        [sys.executable, "-m", program, "--help"],
        cwd=ROOT, env={**os.environ, "PYTHONOPTIMIZE": optimize}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "PYTHONOPTIMIZE" in done.stderr


def test_control_characters_do_not_reach_the_terminal():
    assert printable("a\x1b[31mb\nc 中") == "a [31mb c 中"
