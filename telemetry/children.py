"""Child processes that end with their parent, however it ends."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_parent = os.getpid()


def die_with_parent() -> None:
    """For Popen's `preexec_fn`: SIGTERM to the child when its parent is gone (Linux, prctl(2)); nothing elsewhere.

    The signal comes when the thread that started the child ends: start children from the main thread.
    """
    _on_death_of_parent(signal.SIGTERM)


def be_killed_with_parent() -> None:
    """The same with SIGKILL, for a child that may wait without limit for others that end at that moment as well."""
    _on_death_of_parent(signal.SIGKILL)


def _on_death_of_parent(number: signal.Signals) -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != _parent:  # it ended before we could ask for the signal
            os.kill(os.getpid(), number)
