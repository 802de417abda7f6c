"""A model server that misbehaves on purpose. It is for faults only: real models test what a model says.

A script decides how each request is answered. Run it inside an event loop with `FakeModel().serve()`.
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

from inference.chat import ChatMessage, ChatRequest

TEXT = re.compile(r"<text>\n(.*)\n</text>", re.DOTALL)
Script = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse | None]]


def text_of(body: dict[str, Any]) -> str:
    return TEXT.search(body["messages"][-1]["content"])[1]


def asking(text: str) -> ChatRequest:
    """Returns a request about `text` like those of a recipe's stage."""
    return ChatRequest(model="qwen-vllm", messages=(ChatMessage("user", f"<text>\n{text}\n</text>"),), max_tokens=9)


def completion(content: str, *, finish: str = "stop", reasoning: str | None = None) -> web.Response:
    message = {"role": "assistant", "content": content, "reasoning": reasoning}
    choice = {"index": 0, "finish_reason": finish, "message": message}
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    return web.json_response({"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage})


def stage_of(body: dict[str, Any]) -> str:
    """Returns the name of the schema that the request asks for: pairs, questions, answer, …"""
    return body.get("response_format", {}).get("json_schema", {}).get("name", "pairs")


def block_of(body: dict[str, Any], name: str) -> str:
    """Returns the text between <name> and </name> in the prompt's task."""
    return re.findall(rf"<{name}>\n(.*?)\n</{name}>", body["messages"][-1]["content"], re.DOTALL)[-1]


def good_answer(body: dict[str, Any], text: str) -> str:
    """Returns an answer that fits the schema and passes the checks, for any stage of a recipe."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {}).get("properties", {})
    quote = quote_of(text)
    match stage_of(body):
        case "questions":
            lists = {kind: array["maxItems"] for kind, array in schema["questions"]["properties"].items()}
            asked = {kind: [f"What {kind} thing {n} of {quote}?" for n in range(most)] for kind, most in lists.items()}
            given: Any = {"questions": asked}
        case "answer" | "rewriting" | "second_answer":
            given = {"evidence": [quote], "reasoning": "It says so.", "answerable": True, "answer": f"{quote}, yes."}
            given = {name: given.get(name) or block_of(body, name) for name in schema}
        case "marks":
            given = {"comment": "none", "marks": dict.fromkeys(schema["marks"]["properties"], 9)}
        case "many_marks":
            parts = schema["marks"]["properties"].items()
            given = {"comment": "none", "marks": {n: dict.fromkeys(part["properties"], 9) for n, part in parts}}
        case _:
            return pairs_about(text)
    return orjson.dumps(given).decode()


def quote_of(text: str, most: int = 40) -> str:
    """Returns the beginning of the text, in whole words."""
    text, begin = text.strip(), text.strip()[:most]
    return begin if text == begin or " " not in begin else begin.rsplit(" ", 1)[0]


def pairs_about(text: str) -> str:
    quote = quote_of(text, 250)
    pair = {
        "type": "factual",
        "question": f"What about {quote}?",
        "answer": "Yes.",
        "reasoning": "",
        "evidence": [quote],
    }
    return orjson.dumps({"pairs": [pair]}).decode()


class FakeModel:
    """Answers chat requests. `script(request, body)` returns a response, or None for a good answer.

    `calls` counts requests by text. Requests for one token are probes, which are neither scripted nor counted. With
    `hangs` it answers nothing, with `engine_hangs` it lists its models and answers no completion, and with `proxied` it
    answers every completion with that status, as a proxy may.
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
        self.hangs = False
        self.engine_hangs = False
        self.proxied: int | None = None
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
        if self.hangs:
            await asyncio.Event().wait()
        return web.json_response({"object": "list", "data": [{"id": self.model, "root": self.root}]})

    async def _metrics(self, request: web.Request) -> web.Response:
        """Gives the numbers of running and waiting requests under vLLM's names, if `queue` has them."""
        if self.queue is None:
            raise web.HTTPNotFound
        running, waiting = self.queue
        name = "vllm:num_requests_"
        return web.Response(text=f'{name}running{{engine="0"}} {running}.0\n{name}waiting{{engine="0"}} {waiting}.0\n')

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        if self.hangs or self.engine_hangs:
            await asyncio.Event().wait()
        if self.proxied is not None:
            return web.Response(status=self.proxied)
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
            return scripted if scripted is not None else completion(good_answer(body, text))
        except asyncio.CancelledError:
            self.aborted[text] += 1
            raise
        finally:
            self.under_way -= 1
