"""Reasons why a process is not ready for its work. Pure."""

from collections.abc import Callable

Trouble = Callable[[], str | None]
"""A check that returns the reason against being ready, or None. It runs each time somebody asks."""


class Health:
    """The named checks of a process. A model server that is away is no trouble: its workers rightly wait for it."""

    def __init__(self) -> None:
        self._checks: dict[str, Trouble] = {}

    def check(self, name: str, trouble: Trouble) -> None:
        """Register a check under `name`, in place of an earlier one."""
        self._checks[name] = trouble

    def note(self, name: str, trouble: str | None) -> None:
        """Set a lasting trouble under `name`; None clears it."""
        self._checks[name] = lambda: trouble

    def reasons(self) -> dict[str, str]:
        """Return the reasons against being ready by name. An empty result means ready."""
        found = ((name, check()) for name, check in self._checks.items())
        return {name: reason for name, reason in found if reason is not None}

    @property
    def ready(self) -> bool:
        return not self.reasons()
