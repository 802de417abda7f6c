"""The HTTP side of the embedded server, and its command `python -m server embedded`."""

import argparse
import asyncio
import hmac
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from configs.sections import ModelSettings
from configs.settings import load_settings
from server.arguments import port_number
from server.broker.kafka_config import address
from server.embedded.completion import MAX_MODEL_LEN, MODEL, Request, answer, check
from server.embedded.errors import RequestError
from server.embedded.metrics import Metrics
from server.embedded.request_log import RequestLog
from server.errors import EmbeddedError
from server.ready_file import forget_ready_file, ready_file

_MOST_BODY_BYTES = 8 * 1024**2
_GUIDE_MODEL = "qwen-vllm"  # the name in the guide's JSON
_SHUTDOWN_S = 5.0  # for answers under way


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the server answers. `latency_ms` is simulated time of a call, during which it holds one of the slots."""

    served: tuple[str, ...] = (MODEL,)
    api_key: str = ""
    latency_ms: float = 0.0
    max_num_seqs: int = 256
    request_log: RequestLog | None = None


class EmbeddedServer:
    """The routes and what they share."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._slots = asyncio.Semaphore(options.max_num_seqs)
        self._created = int(time.time())
        self.metrics = Metrics()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=_MOST_BODY_BYTES, middlewares=[self._errors, self._key])
        app.add_routes(
            [
                web.post("/v1/chat/completions", self._chat),
                web.get("/v1/models", self._models),
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
            ]
        )
        return app

    async def _chat(self, request: web.Request) -> web.Response:
        body = await _json(request)
        checked = check(body, served=self._options.served)
        if self._options.request_log is not None:
            self._options.request_log.accepted(body)
        async with self._slot():
            return web.json_response(await self._answer(checked), dumps=_dumps)

    async def _answer(self, request: Request) -> dict[str, Any]:
        if self._options.latency_ms:
            await asyncio.sleep(self._options.latency_ms / 1000)
        response = answer(request)
        self.metrics.success[response["choices"][0]["finish_reason"]] += 1
        self.metrics.prompt_tokens += response["usage"]["prompt_tokens"]
        self.metrics.generation_tokens += response["usage"]["completion_tokens"]
        return response

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        self.metrics.waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self.metrics.waiting -= 1
        self.metrics.running += 1
        try:
            yield
        except asyncio.CancelledError:  # the client has gone, as vLLM aborts then
            self.metrics.success["abort"] += 1
            raise
        finally:
            self.metrics.running -= 1
            self._slots.release()

    async def _models(self, _: web.Request) -> web.Response:
        models = [
            {
                "id": name,
                "object": "model",
                "created": self._created,
                "owned_by": "qastream",
                "root": MODEL,
                "parent": None,
                "max_model_len": MAX_MODEL_LEN,
            }
            for name in self._options.served
        ]
        return web.json_response({"object": "list", "data": models})

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(
            text=self.metrics.exposition(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    @web.middleware
    async def _errors(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except RequestError as exc:
            return _refused(exc)
        except web.HTTPRequestEntityTooLarge:
            return _refused(RequestError(f"a request takes at most {_MOST_BODY_BYTES} bytes", status=413))
        except web.HTTPException as exc:
            return _refused(RequestError(f"{exc.reason}: {request.method} {request.path}", status=exc.status))

    @web.middleware
    async def _key(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """As vLLM does, which asks for the key under /v1 only."""
        if self._options.api_key and request.path.startswith("/v1"):
            expected = f"Bearer {self._options.api_key}"
            if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
                raise RequestError("the API key is missing or wrong", status=401)
        return await handler(request)


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except (ValueError, RecursionError):
        raise RequestError("the body is not JSON") from None


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _refused(error: RequestError) -> web.Response:
    return web.json_response(error.body(), status=error.status)


@asynccontextmanager
async def serve(options: Options, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve while the context lasts; yields the base URL (`http://host:port/v1`). Raises EmbeddedError."""
    runner = web.AppRunner(
        EmbeddedServer(options).app(), access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_S
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as exc:
            raise EmbeddedError(
                f"can't listen on {address(host, port)}: {exc.strerror}. Stop what is there, or give another --port"
            ) from exc
        yield f"http://{address(host, runner.addresses[0][1])}/v1"
    finally:
        await runner.cleanup()


def main(argv: Sequence[str]) -> int:
    """The command `python -m server embedded`."""
    return asyncio.run(_run(_parser().parse_args(argv)))


async def _run(args: argparse.Namespace) -> int:
    forget_ready_file(args.ready_file)
    log = RequestLog(args.request_log) if args.request_log else None
    options = Options(
        served=_names(args.served_model_name or [f"{MODEL},{_GUIDE_MODEL}"]),
        api_key=_key(load_settings().model),
        latency_ms=args.latency_ms,
        max_num_seqs=args.max_num_seqs,
        request_log=log,
    )
    stopped = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    async with serve(options, host=args.host, port=args.port) as base_url:
        with ready_file(args.ready_file, {"base_url": base_url, "pid": os.getpid()}):
            print(f"The embedded model server is ready at {base_url} (model {MODEL})", flush=True)
            await stopped.wait()
    if log is not None:
        log.close()
    return 0


def _key(model: ModelSettings) -> str:
    return model.api_key.get_secret_value() if "api_key" in model.model_fields_set else ""


def _names(given: list[str]) -> tuple[str, ...]:
    """Names may be given one by one or comma-separated; first come, first listed."""
    return tuple(dict.fromkeys(name.strip() for one in given for name in one.split(",") if name.strip()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m server embedded",
        description="An OpenAI-compatible server without a GPU and without weights. Its model, extractive, finds "
        "pairs in the text of the prompt: definitions, numbers, comparisons, reasons. For trying the pipeline, not for "
        "training data. With VLLM_API_KEY set it refuses requests without that key.",
        epilog="Then: VLLM_SERVER_URL=http://localhost:8000/v1 python -m consumer",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=port_number, default=8000, metavar="P", help="0: a free one (default 8000)")
    parser.add_argument(
        "--served-model-name",
        action="append",
        default=[],
        metavar="NAME",
        help="names it answers to, comma-separated or repeated (default extractive,qwen-vllm)",
    )
    parser.add_argument("--latency-ms", type=_not_negative, default=0.0, metavar="MS", help="simulated time of a call")
    parser.add_argument(
        "--max-num-seqs",
        type=_positive,
        default=256,
        metavar="N",
        help="calls answered at once; others wait (default 256)",
    )
    parser.add_argument("--request-log", type=Path, metavar="F", help="append a JSON line for each accepted request")
    parser.add_argument("--ready-file", type=Path, metavar="F", help="JSON written once it answers: its URL, its pid")
    return parser


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no time in milliseconds")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is less than 1")
    return value
