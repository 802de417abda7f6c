"""The child processes of a run: they are watched, and they end in order."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from pipeline.run.children import POLL_S, Child

HURRY_S = 3.0
MayEnd = Callable[[int], bool]
"""Tells whether a child may end by itself with this exit code."""


def never(_: int) -> bool:
    return False


@dataclass(slots=True)
class Family:
    """Children in groups. The group that started last stops first; the members of a group stop together."""

    logs_dir: Path
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _groups: list[list[Child]] = field(default_factory=list)
    _graces_s: dict[str, float] = field(default_factory=dict)
    _may_end: dict[str, MayEnd] = field(default_factory=dict)

    def start(
        self,
        commands: Mapping[str, Sequence[str]],
        env: Mapping[str, str],
        *,
        grace_s: float,
        may_end: MayEnd = never,
    ) -> list[Child]:
        """Starts a group of processes, given the command of each by name."""
        group: list[Child] = []
        self._groups.append(group)
        for name, command in commands.items():
            child = Child(name, command, self.logs_dir / f"{name}.log")
            self._graces_s[name], self._may_end[name] = grace_s, may_end
            child.start(env)
            group.append(child)
        return group

    async def guard(self) -> NoReturn:
        """Watches the children for ever and keeps their logs bounded. Raises ChildDiedError when one ends too early."""
        while True:
            for child in self._all():
                self.check(child)
                child.bound_log()
            await asyncio.sleep(POLL_S)

    def check(self, child: Child) -> None:
        """Raises ChildDiedError if the child has ended and should not have."""
        if (code := child.poll()) is not None and not self._may_end[child.name](code):
            raise child.obituary()

    async def stop(self) -> None:
        """Stops all children, the last started first. Once `hurry` is set, a child is killed after 3 seconds."""
        for group in reversed(self._groups):
            await asyncio.gather(*(self._stop(child) for child in group))

    async def _stop(self, child: Child) -> None:
        end = asyncio.create_task(child.stop(grace_s=self._graces_s[child.name]))
        hurry = asyncio.create_task(self.hurry.wait())
        await asyncio.wait([end, hurry], return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not end.done():
            end.cancel()
            await asyncio.gather(end, return_exceptions=True)
            await child.stop(grace_s=HURRY_S)

    def _all(self) -> Iterator[Child]:
        for group in self._groups:
            yield from group
