"""Child processes that end with their parent, however it ends."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_imported_in, _parent = os.getpid(), os.getppid()


def die_with_parent() -> None:
    """SIGTERM to this process when its parent is gone (Linux, prctl(2)); nothing elsewhere.

    For Popen's `preexec_fn`, or called by a program at its start. The signal comes when the thread that started the
    child ends: start children from the main thread.
    """
    _on_death_of_parent(signal.SIGTERM)


def be_killed_with_parent() -> None:
    """The same with SIGKILL, for a child that may wait without limit for others that end at that moment as well."""
    _on_death_of_parent(signal.SIGKILL)


def _on_death_of_parent(number: signal.Signals) -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, number)
        expected = _parent if os.getpid() == _imported_in else _imported_in
        if os.getppid() != expected:  # it ended before we could ask for the signal
            os.kill(os.getpid(), number)
