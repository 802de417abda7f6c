import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from output.errors import OutputError, OutputLockedError
from output.layout import Layout
from output.lock import exclusively, sink_lock
from output.share import Share

HOLDER = """
from pathlib import Path
from output.layout import Layout
from output.lock import sink_lock
from output.share import Share
with sink_lock(Layout(Path({root!r}), Share.parse({share!r}))):
    print('held', flush=True)
    input()
"""


def of(root, share: str = "all") -> Layout:
    return Layout(root, Share.parse(share))


def hold_elsewhere(root, share: str = "all") -> subprocess.Popen[bytes]:
    code = HOLDER.format(root=str(root), share=share)
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    return holder


def test_a_second_sink_is_refused_with_the_holder_named(tmp_path):
    layout = of(tmp_path / "out")
    said = rf"pid {os.getpid()} on .*{tmp_path}/out\b"
    with sink_lock(layout), pytest.raises(OutputLockedError, match=said), sink_lock(layout):
        pass
    with sink_lock(layout):
        pass


def test_a_killed_holder_holds_nothing(tmp_path):
    holder = hold_elsewhere(tmp_path)
    with pytest.raises(OutputLockedError, match=f"pid {holder.pid}"), sink_lock(of(tmp_path)):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with sink_lock(of(tmp_path)):
        pass


def test_each_partition_has_one_sink(tmp_path):
    holder = hold_elsewhere(tmp_path, "0-2,7")
    try:
        with sink_lock(of(tmp_path, "3-6")), sink_lock(of(tmp_path, "8")):
            pass
        said = rf"pid {holder.pid} on .* writes partition 7 to {tmp_path}\b.*other --only-partitions"
        with pytest.raises(OutputLockedError, match=said), sink_lock(of(tmp_path, "5-9")):
            pass
        with sink_lock(of(tmp_path, "5-6")), sink_lock(of(tmp_path / "another", "0-2,7")):
            pass  # the one that was refused holds nothing
    finally:
        holder.kill()
        holder.wait()


def test_one_of_all_partitions_and_those_of_some_exclude_each_other(tmp_path):
    holders = [hold_elsewhere(tmp_path, share) for share in ("0", "4-5")]
    try:
        with pytest.raises(OutputLockedError) as caught, sink_lock(of(tmp_path)):
            pass
        assert all(f"pid {holder.pid} on" in str(caught.value) for holder in holders)
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()
    said = f"pid {os.getpid()} on"
    with sink_lock(of(tmp_path)), pytest.raises(OutputLockedError, match=said), sink_lock(of(tmp_path, "0")):
        pass


def test_one_waits_for_what_takes_a_moment(tmp_path):
    order = []

    def briefly() -> None:
        with exclusively(tmp_path / "lock"):
            order.append("second")

    with exclusively(tmp_path / "lock"):
        other = threading.Thread(target=briefly)
        other.start()
        time.sleep(0.1)
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def test_a_place_that_can_not_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can be written"), sink_lock(of(tmp_path / "file")):
        pass
