"""Compares QAStream with synthetic-data-kit 0.0.5 on the same texts and the same model, and counts their calls.

    python benchmarks/comparison.py [--latency-ms 500] [--json FILE]

The opponent is installed into a virtual environment below a temporary directory, which also holds all files of both.
The model is `extractive` of the embedded server, which makes pairs of the sentences of a text. Requests of QAStream are
passed on to it. synthetic-data-kit asks without a schema, so its prompts are interpreted here: the text after `Text:`
goes through the same extraction and comes back as the JSON array that the prompt describes, and a summary is the
beginning of the text. Neither side suffers from a model that breaks the format. The Markdown table goes to stdout.
"""

import argparse
import asyncio
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from server.broker.node import Broker  # noqa: E402
from server.embedded.app import EmbeddedOptions, serve  # noqa: E402
from server.embedded.pairs import extract  # noqa: E402

OPPONENT = "synthetic-data-kit==0.0.5"
MODEL = "extractive"
TEXTS = ROOT / "data" / "texts"
ASKS_PAIRS, ASKS_SUMMARY = "Create question-answer pairs", "Summarize this document"
SUMMARY_CHARACTERS = 300
MORE = ("--num-pairs", "500")
RECIPES = ("fast", "standard")
RUN_LIMIT_S = 900
POLL_S = 0.02


@dataclass
class Call:
    """A request to the model. `ended` stays None when the client went away before its answer."""

    key: str
    characters: int
    began: float
    ended: float | None = None


@dataclass
class Recorder:
    """Stands before the model server, delays each call by `latency_s`, and records who asked what and when."""

    server: str
    latency_s: float
    calls: list[Call] = field(default_factory=list)
    in_flight: int = 0
    peak: int = 0

    def reset(self) -> None:
        self.calls, self.peak = [], 0

    @property
    def answered(self) -> int:
        return sum(call.ended is not None for call in self.calls)

    @property
    def repeated(self) -> int:
        """The number of calls with exactly the request of an earlier call."""
        return len(self.calls) - len({call.key for call in self.calls})

    @property
    def seconds(self) -> float:
        """Seconds from the first call to the last answer."""
        ends = [call.ended for call in self.calls if call.ended is not None]
        return max(ends) - min(call.began for call in self.calls) if ends else 0.0

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024**2)
        app.add_routes([web.post("/v1/chat/completions", self._chat), web.get("/{path:.*}", self._forward)])
        return app

    async def _chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        key = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        call = Call(key, len(opponents_text(body) or ""), time.monotonic())
        self.calls.append(call)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.latency_s)
            response = opponents_answer(body) or await self._answer(body)
            call.ended = time.monotonic()
            return response
        finally:
            self.in_flight -= 1

    async def _answer(self, body: dict[str, Any]) -> web.Response:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.server}/chat/completions", json=body) as answer,
        ):
            return web.Response(body=await answer.read(), status=answer.status, content_type="application/json")

    async def _forward(self, request: web.Request) -> web.Response:
        url = f"{self.server.removesuffix('/v1')}/{request.match_info['path']}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return web.Response(body=await answer.read(), status=answer.status, content_type=answer.content_type)


def opponents_text(body: dict[str, Any]) -> str | None:
    """The text for which a prompt of synthetic-data-kit asks pairs; None for any other request."""
    content = body["messages"][0]["content"]
    return content.partition("Text:\n")[2].strip() if content.startswith(ASKS_PAIRS) else None


def opponents_answer(body: dict[str, Any]) -> web.Response | None:
    if body["messages"][0]["content"].startswith(ASKS_SUMMARY):
        return completion(body["messages"][-1]["content"][:SUMMARY_CHARACTERS])
    text = opponents_text(body)
    if text is None:
        return None
    pairs = [{"question": pair.question, "answer": pair.answer} for pair in extract(text)]
    return completion(json.dumps(pairs, ensure_ascii=False))


def completion(content: str) -> web.Response:
    message = {"role": "assistant", "content": content}
    return web.json_response({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


@asynccontextmanager
async def recording(latency_ms: float) -> AsyncIterator[tuple[Recorder, str]]:
    """A running recorder, with its base URL."""
    async with serve(EmbeddedOptions()) as server:
        recorder = Recorder(server, latency_ms / 1000)
        runner = web.AppRunner(recorder.app(), access_log=None, handler_cancellation=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield recorder, f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            await runner.cleanup()


@dataclass(frozen=True)
class Made:
    """The result of a run. A pair is (question, answer, number of quotes found in the source, number of quotes)."""

    pairs: list[tuple[str, str, int, int]]
    rejected: int
    chunks: dict[str, list[int]]
    unread: list[str]

    @property
    def duplicates(self) -> int:
        questions = Counter(folded(question) for question, *_ in self.pairs)
        return sum(questions.values()) - len(questions)

    @property
    def with_evidence(self) -> int:
        return sum(0 < there == quotes for _, _, there, quotes in self.pairs)


def folded(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


@dataclass
class QAStream:
    """`python -m pipeline --once` with its defaults and a recipe, on a running broker."""

    url: str
    brokers: str
    recipe: str

    @property
    def name(self) -> str:
        return f"QAStream, `{self.recipe}`"

    def prepare(self, texts: dict[str, bytes], folder: Path) -> None:
        for name, content in texts.items():
            path = folder / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def commands(self, folder: Path) -> list[list[str]]:
        command = [sys.executable, "-m", "pipeline", "--once", "--recipe", self.recipe]
        return [[*command, "--input-dir", str(folder / "in"), "--output-dir", str(folder / "out"),
                 "--model-urls", self.url, "--model-name", MODEL,
                 "--bootstrap-servers", self.brokers, "--namespace", f"{self.recipe}-{folder.name}"]]  # fmt: skip

    def made(self, folder: Path, _calls: list[Call]) -> Made:
        results = [json.loads(line) for path in sorted((folder / "out/results").glob("*.jsonl"))
                   for line in path.read_bytes().splitlines()]  # fmt: skip
        chunks: dict[str, list[int]] = {}
        for result in results:
            chunks.setdefault(result["document"]["path"], []).append(len(result["chunk"]["text"]))
        pairs = [quoted(pair, decoded(folder / "in" / r["document"]["path"])) for r in results for pair in r["pairs"]]
        files = {str(path.relative_to(folder / "in")) for path in (folder / "in").rglob("*") if path.is_file()}
        return Made(pairs, sum(len(r["rejected"]) for r in results), chunks, sorted(files - set(chunks)))


def quoted(pair: dict[str, Any], text: str) -> tuple[str, str, int, int]:
    there = sum(text[quote["start"] : quote["end"]] == quote["text"] for quote in pair["evidence"])
    return pair["question"], pair["answer"], there, len(pair["evidence"])


def decoded(path: Path) -> str:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030")
    return text.replace("\r\n", "\n")


@dataclass
class SyntheticDataKit:
    """Its documented way with vLLM: `provider: vllm` in a configuration file, then ingest, then create.

    It reads only .txt files of one directory without its subdirectories, and so gets the texts under flat names.
    """

    url: str
    program: Path
    more: tuple[str, ...] = ()
    name = "synthetic-data-kit 0.0.5"

    def prepare(self, texts: dict[str, bytes], folder: Path) -> None:
        (folder / "in").mkdir(parents=True)
        for name, content in texts.items():
            (folder / "in" / f"{Path(name).with_suffix('').as_posix().replace('/', '-')}.txt").write_bytes(content)
        default = next(self.program.parents[1].glob("lib/python*/site-packages/synthetic_data_kit/config.yaml"))
        config = default.read_text().replace('provider: "api-endpoint"', 'provider: "vllm"')
        config = config.replace('"http://localhost:8000/v1"', f'"{self.url}"')
        (folder / "config.yaml").write_text(config.replace('"meta-llama/Llama-3.3-70B-Instruct"', f'"{MODEL}"'))

    def commands(self, folder: Path) -> list[list[str]]:
        program = [str(self.program), "-c", str(folder / "config.yaml")]
        return [
            [*program, "ingest", str(folder / "in"), "-o", str(folder / "parsed")],
            [*program, "create", str(folder / "parsed"), "--type", "qa", "-o", str(folder / "out"), *self.more],
        ]

    def made(self, folder: Path, calls: list[Call]) -> Made:
        files = sorted((folder / "out").glob("*_qa_pairs.json"))
        pairs = [(pair["question"], pair["answer"], 0, 0) for path in files
                 for pair in json.loads(path.read_bytes())["qa_pairs"]]  # fmt: skip
        chunks = {"all": [call.characters for call in calls if call.characters]}
        done = {path.name.removesuffix("_qa_pairs.json") for path in files}
        unread = sorted(path.name for path in (folder / "in").iterdir() if path.stem not in done)
        return Made(pairs, 0, chunks, unread)


Side = QAStream | SyntheticDataKit


async def execute(command: list[str], folder: Path, stop: Callable[[], bool] | None = None) -> int:
    """The exit code of the command, which is ended with kill -9 as soon as `stop` returns true."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("QASTREAM_", "KAFKA_", "VLLM_"))}
    with (folder / "said.log").open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=env, stdout=said, stderr=said, stdin=asyncio.subprocess.DEVNULL
        )
    async with asyncio.timeout(RUN_LIMIT_S):
        while process.returncode is None:
            if stop is not None and stop():
                process.send_signal(signal.SIGKILL)
                await process.wait()
            await asyncio.sleep(POLL_S)
    return process.returncode


async def run(side: Side, texts: dict[str, bytes], folder: Path, recorder: Recorder) -> tuple[Made, list[int]]:
    """The result of a run, with the exit codes of its commands."""
    recorder.reset()
    side.prepare(texts, folder)
    codes = [await execute(command, folder) for command in side.commands(folder)]
    assert codes[-1] == 0, f"{side.name} failed: see {folder / 'said.log'}"
    return side.made(folder, recorder.calls), codes


async def run_killed(side: Side, texts: dict[str, bytes], folder: Path, recorder: Recorder, *, after: int) -> int:
    """The result of a run that is killed and then run again to the end, and the calls in flight at the kill."""
    recorder.reset()
    side.prepare(texts, folder)
    *before, last = side.commands(folder)
    for command in before:
        await execute(command, folder)
    code = await execute(last, folder, stop=lambda: recorder.answered >= after)
    assert code == -signal.SIGKILL, f"it ended by itself, with exit code {code}: see {folder / 'said.log'}"
    in_flight = len(recorder.calls) - recorder.answered
    assert await execute(last, folder) == 0, f"{side.name} failed: see {folder / 'said.log'}"
    return in_flight


def sample_texts() -> dict[str, bytes]:
    return {str(path.relative_to(TEXTS)): path.read_bytes() for path in sorted(TEXTS.rglob("*")) if path.is_file()}


def without_blank_lines(texts: dict[str, bytes]) -> bytes:
    """The texts; the Chinese ones are joined with single line ends, as PDF files and scans give them."""
    found = [text for text in (decoded(TEXTS / name) for name in texts) if is_chinese(text)]
    return "\n".join(line for text in found for line in text.splitlines() if line.strip()).encode()


def is_chinese(text: str) -> bool:
    return sum("\u4e00" <= c <= "\u9fff" for c in text) * 5 > len(text)


def shared(part: int, whole: int) -> str:
    return f"{part}, {part / whole:.0%}" if whole else "0"


async def compare(side: Side, recorder: Recorder, folder: Path) -> dict[str, Any]:
    """The figures of one side, by name."""
    texts = sample_texts()
    long = {"long.txt": without_blank_lines(texts)}
    made, codes = await run(side, texts, folder / "texts", recorder)
    calls, repeated, peak, seconds = len(recorder.calls), recorder.repeated, recorder.peak, recorder.seconds
    cut, _ = await run(side, long, folder / "long", recorder)
    sizes = [size for sizes in cut.chunks.values() for size in sizes]
    in_flight = await run_killed(side, texts, folder / "killed", recorder, after=calls // 2)
    return {
        "side": side.name,
        "files that came through": f"{len(texts) - len(made.unread)} of {len(texts)}",
        "files not read": ", ".join(made.unread) or "–",
        "exit codes of its commands": ", ".join(map(str, codes)),
        "pairs": len(made.pairs),
        "pairs whose quotes all stand in the source where they say": shared(made.with_evidence, len(made.pairs)),
        "pairs that ask what another one asks": made.duplicates,
        "pairs rejected by checks": made.rejected,
        f"chunks of {len(long['long.txt'].decode()):,} Chinese characters without blank lines": len(sizes),
        "the longest of them, in characters": max(sizes),
        "calls": calls,
        "of them sent before, word for word": repeated,
        "most calls in flight": peak,
        "seconds from the first call to the last answer": round(seconds, 1),
        "killed after so many answers": calls // 2,
        "calls in flight at the kill": in_flight,
        "calls in both runs": len(recorder.calls),
        "of them repeated because of the kill": recorder.repeated - repeated,
    }


def table(found: list[dict[str, Any]]) -> Iterator[str]:
    yield f"| | {' | '.join(each['side'] for each in found)} |"
    yield "|---|" + "---|" * len(found)
    for name in list(found[0])[1:]:
        yield f"| {name} | {' | '.join(str(each[name]) for each in found)} |"


async def installed(folder: Path) -> Path:
    """The path of the installed opponent."""
    uv = shutil.which("uv") or str(ROOT / ".tools/bin/uv")
    for command in (["venv", "--quiet", str(folder)], ["pip", "install", "--quiet", "--python", str(folder), OPPONENT]):
        process = await asyncio.create_subprocess_exec(uv, *command)
        if await process.wait():
            sys.exit(f"{OPPONENT} could not be installed")
    return folder / "bin" / "synthetic-data-kit"


async def work(args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(args.keep or name)
        program = args.opponent or await installed(Path(name, "venv"))
        async with recording(args.latency_ms) as (recorder, url):
            found = []
            if args.only != "opponent":
                with Broker(data_dir=Path(name, "broker")) as broker:
                    for recipe in RECIPES:
                        qastream = QAStream(url, broker.bootstrap_servers, recipe)
                        found.append(await compare(qastream, recorder, folder / recipe))
            if args.only != "qastream":
                found.append(await compare(SyntheticDataKit(url, program), recorder, folder / "opponent"))
                more = SyntheticDataKit(url, program, MORE)
                made, _ = await run(more, sample_texts(), folder / "more", recorder)
                print(f"With {' '.join(MORE)}: {len(made.pairs)} pairs, {made.duplicates} ask what another one asks.\n")
    print(*table(found), sep="\n")
    if args.json:
        args.json.write_text(json.dumps(found, ensure_ascii=False, indent=2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency-ms", type=float, default=500, help="of every call, on both sides (default 500)")
    parser.add_argument("--opponent", type=Path, metavar="PROGRAM", help="an installed synthetic-data-kit")
    parser.add_argument("--only", choices=("qastream", "opponent"), help="run one side alone")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the files of both sides there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as JSON too")
    asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
