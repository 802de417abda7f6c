"""Whether a process is ready for its work, and if not, why. Pure."""

from collections.abc import Callable

Trouble = Callable[[], str | None]
"""Asked whenever somebody wants to know; None when all is well."""


class Health:
    """Troubles by name. A model server that is away is none: a worker that waits for it does what it should."""

    def __init__(self) -> None:
        self._checks: dict[str, Trouble] = {}

    def check(self, name: str, trouble: Trouble) -> None:
        self._checks[name] = trouble

    def note(self, name: str, trouble: str | None) -> None:
        """What stands until it is noted otherwise."""
        self._checks[name] = lambda: trouble

    def reasons(self) -> dict[str, str]:
        """Against being ready; empty when it is."""
        found = ((name, check()) for name, check in self._checks.items())
        return {name: reason for name, reason in found if reason is not None}

    @property
    def ready(self) -> bool:
        return not self.reasons()
