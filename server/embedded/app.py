"""The HTTP side of the embedded server, and its command `python -m server embedded`."""

import argparse
import asyncio
import hmac
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from configs.settings import load_settings
from server.arguments import port_number
from server.broker.kafka_config import address
from server.embedded.completion import MAX_MODEL_LEN, MODEL, answer, check
from server.embedded.errors import RequestError
from server.embedded.metrics import EmbeddedMetrics
from server.embedded.request_log import RequestLog
from server.errors import ServerError
from server.ready_file import forget_ready_file, ready_file

_MOST_BODY_BYTES = 8 * 1024**2
_GUIDE_MODEL = "qwen-vllm"  # the name in the guide's JSON
_SHUTDOWN_S = 5.0  # for answers under way


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedOptions:
    """Options of the server. `latency_ms` is the simulated time of a call, during which it holds one of the slots."""

    served: tuple[str, ...] = (MODEL,)
    api_key: str = ""
    latency_ms: float = 0.0
    max_num_seqs: int = 256
    request_log: RequestLog | None = None


class EmbeddedServer:
    """The routes of the server, and the slots and counters that they share."""

    def __init__(self, options: EmbeddedOptions) -> None:
        self._options = options
        self._slots = asyncio.Semaphore(options.max_num_seqs)
        self._created = int(time.time())
        self._counts = EmbeddedMetrics()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=_MOST_BODY_BYTES, middlewares=[self._errors, self._authorized])
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def _chat(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            raise RequestError("the body is not JSON") from None
        checked = check(body, served=self._options.served)
        if self._options.request_log is not None:
            self._options.request_log.accepted(body)
        async with self._slot():
            await asyncio.sleep(self._options.latency_ms / 1000)
            response = answer(checked)
            self._counts.answered(response)
        return web.json_response(response, dumps=partial(json.dumps, ensure_ascii=False))

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        self._counts.waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._counts.waiting -= 1
        self._counts.running += 1
        try:
            yield
        except asyncio.CancelledError:  # the client has gone: vLLM aborts the request then, too
            self._counts.success["abort"] += 1
            raise
        finally:
            self._counts.running -= 1
            self._slots.release()

    async def _models(self, _: web.Request) -> web.Response:
        shared = {"object": "model", "created": self._created, "owned_by": "qastream", "root": MODEL, "parent": None}
        models = [{"id": name, **shared, "max_model_len": MAX_MODEL_LEN} for name in self._options.served]
        return web.json_response({"object": "list", "data": models})

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _metrics(self, _: web.Request) -> web.Response:
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(text=self._counts.exposition(), headers=headers)

    @web.middleware
    async def _errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RequestError as exc:
            error = exc
        except web.HTTPRequestEntityTooLarge:
            error = RequestError(f"a request takes at most {_MOST_BODY_BYTES} bytes", status=413)
        except web.HTTPException as exc:
            error = RequestError(f"{exc.reason}: {request.method} {request.path}", status=exc.status)
        return web.json_response(error.body(), status=error.status)

    @web.middleware
    async def _authorized(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Asks for the API key under /v1 only, as vLLM does."""
        if self._options.api_key and request.path.startswith("/v1"):
            expected = f"Bearer {self._options.api_key}"
            if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
                raise RequestError("the API key is missing or wrong", status=401)
        return await handler(request)


@asynccontextmanager
async def serve(options: EmbeddedOptions, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serves while the context lasts and yields the base URL, http://host:port/v1. Raises ServerError."""
    app = EmbeddedServer(options).app()
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as exc:
            advice = "Stop what is there, or give another --port"
            raise ServerError(f"can't listen on {address(host, port)}: {exc.strerror}. {advice}") from exc
        yield f"http://{address(host, runner.addresses[0][1])}/v1"
    finally:
        await runner.cleanup()


def main(argv: Sequence[str]) -> int:
    """The command `python -m server embedded`."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.max_num_seqs < 1 or not 0 <= args.latency_ms < float("inf"):
        parser.error("--max-num-seqs takes 1 or more, --latency-ms a time in milliseconds")
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    forget_ready_file(args.ready_file)
    model = load_settings().model
    names = ",".join(args.served_model_name or [MODEL, _GUIDE_MODEL])
    options = EmbeddedOptions(
        served=tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip())),
        api_key=model.api_key.get_secret_value() if "api_key" in model.model_fields_set else "",
        latency_ms=args.latency_ms,
        max_num_seqs=args.max_num_seqs,
        request_log=RequestLog(args.request_log) if args.request_log else None,
    )
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serve(options, host=args.host, port=args.port) as base_url:
        with ready_file(args.ready_file, {"base_url": base_url, "pid": os.getpid()}):
            print(f"The embedded model server is ready at {base_url} (model {MODEL})", flush=True)
            await stopped.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m server embedded",
        description="An OpenAI-compatible server without a GPU and without weights. Its model, extractive, finds "
        "pairs in the text of the prompt: definitions, numbers, comparisons, reasons. It is for trying the pipeline, "
        "not for training data. With VLLM_API_KEY set it refuses requests without that key.",
        epilog="Then: VLLM_SERVER_URL=http://localhost:8000/v1 python -m consumer",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    add("--port", type=port_number, default=8000, metavar="P", help="0 takes a free port (default 8000)")
    names = "names that the model answers to, comma-separated or repeated (default extractive,qwen-vllm)"
    add("--served-model-name", action="append", metavar="NAME", help=names)
    add("--latency-ms", type=float, default=0.0, metavar="MS", help="simulated time of a call")
    slots = "calls answered at the same time; further calls wait (default 256)"
    add("--max-num-seqs", type=int, default=256, metavar="N", help=slots)
    add("--request-log", type=Path, metavar="F", help="file to append a JSON line to for each accepted request")
    add("--ready-file", type=Path, metavar="F", help="JSON with the server's URL and pid, written once it answers")
    return parser
