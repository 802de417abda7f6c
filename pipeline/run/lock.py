"""One pipeline for an output directory, also across kill -9: the kernel releases the locks of the dead."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from output.run import run_home
from pipeline.errors import OutputError


@contextmanager
def output_lock(output_dir: Path) -> Iterator[None]:
    """Hold flock(2) on `.qastream/pipeline.lock`, so that nothing of a running pipeline is touched before.

    Raises OutputError, which names the holder.
    """
    path = run_home(output_dir) / "pipeline.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as exc:
        raise OutputError(f"--output-dir {output_dir}: {exc.strerror}. Choose one that can be written") from exc
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "just started"
            raise OutputError(
                f"another pipeline ({holder}) runs on {output_dir}. Stop it, or give another --output-dir"
            ) from None
        file.truncate(0)
        file.write(f"pid {os.getpid()}\n")
        file.flush()
        yield
