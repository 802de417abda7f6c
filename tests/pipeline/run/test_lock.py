"""One pipeline for an output directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.waiting import eventually
from output.errors import OutputLockedError
from output.layout import Layout
from output.lock import pipeline_lock
from tests.support.pipeline import ROOT, pipeline

NOBODY = ["--bootstrap-servers", "127.0.0.1:1", "--model-urls", "http://127.0.0.1:1/v1"]


def test_a_second_pipeline_is_refused_before_it_touches_what_is_of_the_first(tmp_path: Path):
    texts, output = tmp_path / "texts", tmp_path / "out"
    texts.mkdir()
    with pipeline(texts, output, *NOBODY) as first:
        eventually(lambda: "Using Kafka" in first.said, what=lambda: first.said)
        address = output / ".qastream" / "broker.json"
        address.write_text('{"bootstrap_servers": "127.0.0.1:1"}')
        command = [sys.executable, "-m", "pipeline", "--once", "--input-dir", str(texts), "--output-dir", str(output)]
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert address.exists(), second.stdout
        assert second.returncode == 1, second.stdout
        assert f"another pipeline (pid {first.process.pid} on" in second.stderr
        assert f"runs on {output}" in second.stderr
        assert "Traceback" not in second.stderr


def test_it_is_free_again_when_the_first_has_ended(tmp_path: Path):
    layout = Layout(tmp_path)
    with pipeline_lock(layout), pytest.raises(OutputLockedError, match=f"pid {os.getpid()}"), pipeline_lock(layout):
        pass
    with pipeline_lock(layout):
        pass
