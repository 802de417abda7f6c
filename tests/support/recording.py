"""Stands between workers and a model server, and keeps what was asked and answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiohttp import web


@dataclass(frozen=True, slots=True)
class Exchange:
    """A chat completion: its request, and the response as it came."""

    body: dict[str, Any]
    status: int
    response: dict[str, Any]

    @property
    def stage(self) -> str:
        """Name of the schema that was asked for."""
        return self.body["response_format"]["json_schema"]["name"]

    @property
    def schema(self) -> dict[str, Any]:
        return self.body["response_format"]["json_schema"]["schema"]

    @property
    def finished(self) -> bool:
        """Ended by itself, neither refused nor cut."""
        return self.status == 200 and self.response["choices"][0]["finish_reason"] == "stop"

    @property
    def content(self) -> str:
        return self.response["choices"][0]["message"]["content"]


@dataclass
class Recorder:
    """`server` is the base URL, without /v1, of who answers."""

    server: str
    exchanges: list[Exchange] = field(default_factory=list)
    url: str = ""

    async def pass_on(self, request: web.Request) -> web.Response:
        sent = await request.read()
        headers = {"Content-Type": request.content_type}
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, f"{self.server}{request.path}", data=sent, headers=headers) as answer,
        ):
            content = await answer.read()
        if request.path.endswith("/chat/completions"):
            self._keep(orjson.loads(sent), answer.status, orjson.loads(content))
        return web.Response(body=content, status=answer.status, content_type=answer.content_type)

    def _keep(self, body: dict[str, Any], status: int, response: dict[str, Any]) -> None:
        if "response_format" in body:  # a probe has none
            self.exchanges.append(Exchange(body, status, response))


@asynccontextmanager
async def recording(server: str) -> AsyncIterator[Recorder]:
    recorder = Recorder(server)
    app = web.Application(client_max_size=2**24)
    app.add_routes([web.route("*", "/{path:.*}", recorder.pass_on)])
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        recorder.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield recorder
    finally:
        await runner.cleanup()
