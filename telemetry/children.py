"""Makes child processes end with their parent, even if the parent is killed. It works on Linux only (prctl(2))."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from functools import partial

_PR_SET_PDEATHSIG = 1


def ends_with_parent(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Give a `preexec_fn` for Popen with which the child gets signal `number` when this process ends.

    The signal comes when the thread that starts the child ends, so start children from the main thread.
    """
    return _asking(number, parent=os.getpid())  # loads the C library here: after a fork that is not safe


def die_with_parent() -> None:
    """Ask for SIGTERM for this process itself when its parent ends. Call it at the start of a program."""
    _asking(signal.SIGTERM, parent=os.getppid())()


def _asking(number: signal.Signals, *, parent: int) -> Callable[[], None]:
    if sys.platform != "linux":
        return lambda: None
    return partial(_ask, ctypes.CDLL(None, use_errno=True), number, parent)


def _ask(libc: ctypes.CDLL, number: signal.Signals, parent: int) -> None:
    libc.prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it ended before we could ask for the signal
        os.kill(os.getpid(), number)
