"""A model server that misbehaves to order. For faults only: what a model says is tested on real ones.

A script decides what each request meets. Run it inside a test's event loop with `FakeModel().serve()`.
"""

import asyncio
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import trustme
from aiohttp import web

TEXT = re.compile(r"<text>\n(.*)\n</text>", re.DOTALL)
Script = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse | None]]


def text_of(body: dict[str, Any]) -> str:
    return TEXT.search(body["messages"][-1]["content"])[1]


def completion(content: str, *, finish: str = "stop") -> web.Response:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content}}
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    return web.json_response({"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage})


def pairs_about(text: str) -> str:
    quote = text.strip()[:400]
    pair = {
        "type": "factual",
        "question": f"What about {quote}?",
        "answer": "Yes.",
        "reasoning": "",
        "evidence": [quote],
    }
    return orjson.dumps({"pairs": [pair]}).decode()


class FakeModel:
    """`script(request, body)` returns a response, or None for a good answer; `calls` counts requests by text.

    Requests for one token are probes: neither scripted nor counted.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        latency_s: float = 0.0,
        model: str = "qwen-vllm",
        tls: trustme.CA | None = None,
        api_key: str = "",
    ) -> None:
        self.script = script
        self.latency_s = latency_s
        self.api_key = api_key
        self._tls = tls
        self.model = model
        self.root = "fake"
        self.probes_fail = False
        self.queue: tuple[int, int] | None = None
        self.calls: Counter[str] = Counter()
        self.aborted: Counter[str] = Counter()
        self.under_way = 0
        self.most_under_way = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator["FakeModel"]:
        app = web.Application(client_max_size=2**24, middlewares=[self._check_key])
        app.add_routes([web.get("/v1/models", self._models), web.post("/v1/chat/completions", self._complete)])
        app.add_routes([web.get("/metrics", self._metrics)])
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True, ssl_context=self._context())
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    def _context(self) -> ssl.SSLContext | None:
        if self._tls is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.issue_cert("127.0.0.1").configure_cert(context)
        return context

    @web.middleware
    async def _check_key(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.api_key and request.headers.get("Authorization") != f"Bearer {self.api_key}":
            return web.json_response({"error": "Unauthorized"}, status=401)
        return await handler(request)

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": self.model, "root": self.root}]})

    async def _metrics(self, request: web.Request) -> web.Response:
        """Running and waiting requests under vLLM's names, if `queue` says any."""
        if self.queue is None:
            raise web.HTTPNotFound
        running, waiting = self.queue
        name = "vllm:num_requests_"
        return web.Response(text=f'{name}running{{engine="0"}} {running}.0\n{name}waiting{{engine="0"}} {waiting}.0\n')

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        if body.get("max_tokens") == 1:
            return web.Response(status=502) if self.probes_fail else completion("1", finish="length")
        text = text_of(body)
        self.calls[text] += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            scripted = await self.script(request, body) if self.script else None
            return scripted if scripted is not None else completion(pairs_about(text))
        except asyncio.CancelledError:
            self.aborted[text] += 1
            raise
        finally:
            self.under_way -= 1
