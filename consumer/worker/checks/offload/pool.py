"""Processes that check pairs beside the worker, so that no answer of a model holds up the worker's event loop."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path

from consumer.worker.checks.checking import Checked
from consumer.worker.checks.offload.child import READY, REPLY, REQUEST, CheckRequest
from consumer.worker.errors import WorkerError

MOST_CPU_S = 10.0
"""CPU time for the pairs of one chunk. A chunk of 20 pairs takes less than a hundredth of it."""
MOST_PROCESSES = min(2, os.cpu_count() or 1)
"""Processes of one worker. The second starts when the first is busy, as with a chunk that takes long."""
_LONGEST_LINE = 2**28
_ROOT = Path(__file__).parents[4]


class CheckingError(Exception):
    """The pairs of a chunk could not be checked; the message says why."""


class CheckingPool:
    """Checks the pairs of chunks, any number at a time, in at most MOST_PROCESSES processes.

    `under_way` is the number of chunks whose pairs are being checked, or wait for that.
    """

    def __init__(self, *, most_cpu_s: float = MOST_CPU_S) -> None:
        self._most_cpu_s = most_cpu_s
        self._idle: list[Process] = []
        self._room = asyncio.Semaphore(MOST_PROCESSES)
        self._idle_now = asyncio.Event()
        self.under_way = 0

    async def check(self, request: CheckRequest) -> tuple[Checked, ...]:
        """Returns the checked pairs in their order. Raises CheckingError, and WorkerError if no process can be started."""
        line = REQUEST.dump_json(request) + b"\n"
        self.under_way += 1
        self._idle_now.clear()
        try:
            async with self._room:
                answer = await self._ask(line) or await self._ask(line)  # another program may have killed the first
        finally:
            self.under_way -= 1
            if not self.under_way:
                self._idle_now.set()
        if not answer:
            raise CheckingError("two processes died of the checks of its answer")
        reply = REPLY.validate_json(answer)
        if reply.problem:
            raise CheckingError(f"a bug in the checks of its answer:\n{reply.problem}")
        return reply.checked

    async def idle(self) -> None:
        """Returns when nothing is under way."""
        if self.under_way:
            await self._idle_now.wait()

    async def close(self) -> None:
        while self._idle:
            await _kill(self._idle.pop())

    async def _ask(self, line: bytes) -> bytes:
        """The reply of one process; empty if it has died. Raises CheckingError for too long checks, and WorkerError."""
        self._idle = [process for process in self._idle if process.returncode is None]
        process = self._idle.pop() if self._idle else await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        answer = b""
        try:
            with suppress(ConnectionError):
                process.stdin.write(line)
                await process.stdin.drain()
                answer = await process.stdout.readline()
        except BaseException:
            await _kill(process)
            raise
        if answer.endswith(b"\n"):
            self._idle.append(process)
            return answer
        if await process.wait() == -signal.SIGPROF:
            raise CheckingError(f"the checks of its answer took over {self._most_cpu_s:g} s of CPU time")
        return b""

    async def _start(self) -> Process:
        """Raises WorkerError: without its process no chunk could be checked, and none of them is at fault."""
        command = [sys.executable, "-m", "consumer.worker.checks.offload.child", str(self._most_cpu_s)]
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, limit=_LONGEST_LINE, cwd=_ROOT
            )
        except OSError as exc:
            raise WorkerError(f"the process for checks can't be started: {exc.strerror}") from exc
        assert process.stdout is not None
        if await process.stdout.readline() != READY:
            raise WorkerError(f"the process for checks ended at its start, with code {await process.wait()}")
        return process


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
