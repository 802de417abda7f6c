"""A model server with a queue like vLLM's and faults on demand: `python -m benchmarks.driving.model --port 8001 …`.

A text with `INJECT kind times` meets that fault this number of times, or `always`. Requests are counted in the log, so
that a crash forgets none. With `--poison word` every text with that word kills the process. From SIGUSR1 to SIGUSR2 the
engine hangs: the server answers for models and metrics, but not for completions.
"""

import argparse
import asyncio
import json
import os
import random
import re
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from aiohttp import web

from chaos.fake_model import FakeModel, text_of
from chaos.model import COSTLY, FREE
from telemetry.children import die_with_parent

INJECT = re.compile(r"INJECT (\S+) (\d+|always)")
CONTEXT_TOKENS = 8192
CRASH_S = 0.2
"""Seconds that a process lives after its poison has arrived."""


class Scheduler:
    """Runs `slots` requests at once, for `seconds` each on average. The others wait in order of arrival."""

    def __init__(self, model: FakeModel, *, slots: int, seconds: float, seed: int) -> None:
        self._model = model
        self._room = asyncio.Semaphore(slots)
        self._seconds = seconds
        self._random = random.Random(seed)
        self._running = self._waiting = 0
        self._show(0, 0)

    async def serve(self) -> None:
        self._show(0, 1)
        try:
            await self._room.acquire()
        finally:
            self._show(0, -1)
        self._show(1, 0)
        try:
            await asyncio.sleep(self._seconds * self._random.uniform(0.5, 1.5))
        finally:
            self._show(-1, 0)
            self._room.release()

    def _show(self, running: int, waiting: int) -> None:
        self._running += running
        self._waiting += waiting
        self._model.queue = (self._running, self._waiting)


class Log:
    """A log with a JSON line for each request and each answer. A crash leaves no partial line."""

    def __init__(self, path: Path) -> None:
        self.requests = Counter(entry["text"] for entry in entries(path) if entry["event"] == "request")
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(self, event: str, text: str, **more: Any) -> None:
        self.requests[text] += event == "request"
        line = json.dumps({"event": event, "time_s": time.time(), "text": text} | more)
        os.write(self._file, line.encode() + b"\n")


def entries(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


class Faults:
    """The script of a FakeModel, made from the text of each request."""

    def __init__(self, model: FakeModel, scheduler: Scheduler, log: Log, *, poison: str) -> None:
        self._model, self._scheduler, self._log, self._poison = model, scheduler, log, poison

    async def __call__(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse | None:
        text = text_of(body)
        self._log.note("request", text, max_tokens=body["max_tokens"])
        if self._poison and self._poison in text:
            await crash()
        fault = INJECT.search(text)
        if fault and (fault[2] == "always" or self._log.requests[text] <= int(fault[2])):
            return await misbehave(fault[1], request, text, tokens=body["max_tokens"])
        await self._scheduler.serve()
        self._log.note("answer", text)
        return None


async def misbehave(kind: str, request: web.Request, text: str, *, tokens: int) -> web.StreamResponse:
    if kind == "crash":
        await crash()
    if kind == "narrow":
        kind = "400" if tokens > CONTEXT_TOKENS else "truncated"
    if kind == "hang":
        await asyncio.Event().wait()
    if kind.isdigit():
        headers = {"Retry-After": "1"} if kind == "429" else {}
        return web.json_response({"error": {"message": "injected"}}, status=int(kind), headers=headers)
    return await (FREE.get(kind) or COSTLY[kind])(request, text)


async def crash() -> None:
    await asyncio.sleep(CRASH_S)
    os._exit(139)  # as after a segmentation fault


async def serve(args: argparse.Namespace) -> None:
    model = FakeModel()
    scheduler = Scheduler(model, slots=args.slots, seconds=args.seconds, seed=args.port)
    model.script = Faults(model, scheduler, Log(args.log), poison=args.poison)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, setattr, model, "engine_hangs", True)
    loop.add_signal_handler(signal.SIGUSR2, setattr, model, "engine_hangs", False)
    async with model.serve(args.port):
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=0.4, help="average of an answer without waiting")
    parser.add_argument("--poison", default="", metavar="WORD")
    parser.add_argument("--log", type=Path, required=True)
    die_with_parent()
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
