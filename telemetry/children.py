"""Makes child processes end with their parent, even if the parent is killed. It works on Linux only (prctl(2))."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_imported_in, _parent = os.getpid(), os.getppid()


def die_with_parent() -> None:
    """Ask for SIGTERM when the parent ends. Call it at a program's start, or as Popen's `preexec_fn`.

    The signal comes when the thread that started the child ends, so start children from the main thread.
    """
    _on_death_of_parent(signal.SIGTERM)


def be_killed_with_parent() -> None:
    """Ask for SIGKILL when the parent ends, for a child that might wait forever for processes that end as well."""
    _on_death_of_parent(signal.SIGKILL)


def _on_death_of_parent(number: signal.Signals) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)
        expected = _parent if os.getpid() == _imported_in else _imported_in
        if os.getppid() != expected:  # the parent ended before we could ask for the signal
            os.kill(os.getpid(), number)
