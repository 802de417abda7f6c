"""Waits for conditions instead of a number of seconds."""

import time
from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")
POLL_S = 0.02


def eventually(condition: Callable[[], T], *, within_s: float = 90.0, what: Callable[[], object] | str = "") -> T:
    """Returns the first true value of `condition`, or fails after `within_s` seconds with a message about `what`."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what() if callable(what) else what or condition}")
        time.sleep(POLL_S)
    return value


def is_gone(pid: int) -> bool:
    """True when the process has ended, even if its parent has not waited for it yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
