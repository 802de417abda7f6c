"""A model server that fails in many ways, as a process: `python -m chaos.model --bad 0.2 …`.

Planted texts always fail. For any other text, at most MOST_SPOILT answers are spoilt in a way that uses up one of the
worker's attempts. So all other texts must succeed, and a dead letter that was not planted is an error.
"""

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from chaos.fake_model import FakeModel, completion, pairs_about, text_of
from telemetry.children import die_with_parent

MOST_SPOILT = 2
SLOW_SHARE = 0.02
SLOW_S = (1.0, 3.0)
QUICK_S = (0.005, 0.05)
DRIP_S = 0.5

Answer = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


async def _too_many(request: web.Request, text: str) -> web.StreamResponse:
    return web.json_response({"error": {"message": "slow down"}}, status=429, headers={"Retry-After": "0.1"})


async def _unavailable(request: web.Request, text: str) -> web.StreamResponse:
    return web.json_response({"error": {"message": "queue is full"}}, status=503)


async def _internal(request: web.Request, text: str) -> web.StreamResponse:
    return web.json_response({"error": {"message": "internal"}}, status=500)


async def _dead_engine(request: web.Request, text: str) -> web.StreamResponse:
    return web.json_response({"error": {"message": "EngineCore encountered an issue"}}, status=500)


async def _garbage(request: web.Request, text: str) -> web.StreamResponse:
    return web.Response(body=b'{"choices": [{"mess\x00', content_type="application/json")


async def _no_json(request: web.Request, text: str) -> web.StreamResponse:
    return completion("Certainly! Here are your pairs: {")


async def _wrong_schema(request: web.Request, text: str) -> web.StreamResponse:
    return completion('{"pairs": [{"question": "no answer?"}]}')


async def _truncated(request: web.Request, text: str) -> web.StreamResponse:
    return completion(pairs_about(text)[:40], finish="length")


async def _aborted(request: web.Request, text: str) -> web.StreamResponse:
    return completion("", finish="abort")


async def _reset(request: web.Request, text: str) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _half(request: web.Request, text: str) -> web.StreamResponse:
    """Sends less than its Content-Length says, then resets the connection."""
    response = web.StreamResponse(headers={"Content-Length": "4096", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"id": "x", "choices": [')
    return await _reset(request, text)


async def _drip(request: web.Request, text: str) -> web.StreamResponse:
    """Sends a byte now and then, for longer than any worker waits."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(DRIP_S)


FREE: dict[str, Answer] = {
    "429": _too_many,
    "503": _unavailable,
    "engine": _dead_engine,
    "abort": _aborted,
    "reset": _reset,
}
"""Bad answers that use up no attempt, so they may come any number of times."""
COSTLY: dict[str, Answer] = {
    "500": _internal,
    "garbage": _garbage,
    "no_json": _no_json,
    "schema": _wrong_schema,
    "truncated": _truncated,
    "half": _half,
    "drip": _drip,
}


class Misbehaviour:
    """A script for FakeModel that spoils a share `bad` of the answers. `done` counts the answers by kind."""

    def __init__(self, *, seed: int, bad: float, drips: float = 0.003) -> None:
        self._random = random.Random(seed)
        self._bad = bad
        self._drips = drips
        self._spoilt: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    async def __call__(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse | None:
        text = text_of(body)
        kind = self._choose(text)
        self.done[kind] += 1
        if kind == "good":
            await asyncio.sleep(self._latency_s())
            return None
        if kind == "refused":
            return web.json_response({"error": {"message": "planted"}}, status=400)
        return await (FREE.get(kind) or COSTLY[kind])(request, text)

    def _choose(self, text: str) -> str:
        if "PLANTED refused" in text:
            return "refused"
        if "PLANTED garbage" in text:
            return "no_json"
        if self._random.random() >= self._bad:
            return "good"
        kind = self._random.choice([*FREE, *COSTLY])
        if kind == "drip" and self._random.random() > self._drips * 100:
            kind = "500"
        if kind in COSTLY and self._spoilt[text] >= MOST_SPOILT:
            return "good"
        self._spoilt[text] += kind in COSTLY
        return kind

    def _latency_s(self) -> float:
        return self._random.uniform(*(SLOW_S if self._random.random() < SLOW_SHARE else QUICK_S))


async def serve(args: argparse.Namespace) -> None:
    script = Misbehaviour(seed=args.seed, bad=args.bad)
    model = FakeModel(script)
    async with model.serve(args.port):
        while True:
            staged = args.status.with_suffix(".new")
            staged.write_text(json.dumps({"port": model.port, "done": script.done, "requests": model.calls.total()}))
            staged.replace(args.status)
            await asyncio.sleep(0.25)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos.model", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bad", type=float, default=0.2, help="share of spoilt answers")
    parser.add_argument(
        "--status", type=Path, required=True, help="file for the port and the counts, as JSON, written all the time"
    )
    die_with_parent()
    asyncio.run(serve(parser.parse_args(argv)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
