import os
import signal
import subprocess
import sys

import pytest

from consumer.sink.errors import OutputError, OutputLockedError
from consumer.sink.lock import output_lock


def test_a_second_sink_is_refused_with_the_holder_named(tmp_path):
    path = tmp_path / "out" / ".qastream" / "sink.lock"
    said = rf"pid {os.getpid()} on .*{tmp_path}/out\b"
    with output_lock(path), pytest.raises(OutputLockedError, match=said), output_lock(path):
        pass
    with output_lock(path):
        pass


def test_a_killed_holder_holds_nothing(tmp_path):
    path = tmp_path / "sink.lock"
    code = f"from pathlib import Path; from consumer.sink.lock import output_lock; lock = output_lock(Path({str(path)!r})); lock.__enter__(); print('held', flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(OutputLockedError, match=f"pid {holder.pid}"), output_lock(path):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with output_lock(path):
        pass


def test_a_place_that_can_not_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can be written"), output_lock(tmp_path / "file" / "sink.lock"):
        pass
