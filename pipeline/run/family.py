"""The child processes of a run: they are watched, and they end in order."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NoReturn

from messaging.stopping import StoppedError, unless_stopped
from pipeline.run.children import POLL_S, Child, MayEnd, never

HURRY_S = 3.0


@dataclass(slots=True)
class Family:
    """Children in groups. The group that started last stops first; the members of a group stop together."""

    logs_dir: Path
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _groups: list[list[Child]] = field(default_factory=list)

    def start(
        self, commands: Mapping[str, Sequence[str]], env: Mapping[str, str], *, grace_s: float, may_end: MayEnd = never
    ) -> list[Child]:
        """Starts a group of processes, given the command of each by name."""
        group: list[Child] = []
        self._groups.append(group)
        for name, command in commands.items():
            child = Child(name, command, self.logs_dir / f"{name}.log", grace_s, may_end)
            child.start(env)
            group.append(child)
        return group

    async def guard(self) -> NoReturn:
        """Watches the children for ever and keeps their logs bounded. Raises PipelineError when one ends too early."""
        while True:
            for child in chain.from_iterable(self._groups):
                self.check(child)
                child.bound_log()
            await asyncio.sleep(POLL_S)

    def check(self, child: Child) -> None:
        """Raises PipelineError if the child has ended and should not have."""
        if (code := child.poll()) is not None and not child.may_end(code):
            raise child.obituary()

    async def stop(self) -> None:
        """Stops all children, the last started first. Once `hurry` is set, a child is killed after 3 seconds."""
        for group in reversed(self._groups):
            await asyncio.gather(*(self._stop(child) for child in group))

    async def _stop(self, child: Child) -> None:
        try:
            await unless_stopped(child.stop(grace_s=child.grace_s), self.hurry)
        except StoppedError:
            await child.stop(grace_s=HURRY_S)
