"""Measures proportions of types over whole runs: as planned with any number of workers, and exact in the export.

    python benchmarks/proportions.py [--sizes 1,7,50,500] [--pairs 1,2,3,5,10] [--workers 1,4]

It runs the pipeline for every combination of chunks per document, pairs per chunk and number of workers. The model
declines some types of questions more often than others, so that the kept pairs are skewed. The exit code is 1 when a
chunk's plan does not follow from its content alone, or an export is not within one pair of each type's share. The
Markdown table goes to stdout.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from chaos.fake_model import FakeModel, block_of, completion, good_answer, stage_of, text_of  # noqa: E402
from configs.recipe import load_recipe  # noqa: E402
from consumer.worker.recipe.planning import plan_of  # noqa: E402
from languages import language_of  # noqa: E402
from schemas import Chunk, PairType, Result, decode  # noqa: E402
from schemas.ids import digest  # noqa: E402
from server.broker.node import Broker  # noqa: E402

SHARES = {PairType.FACTUAL: 15, PairType.COMPARATIVE: 15, PairType.REASONING: 50, PairType.OPEN: 20}
WHOLE = sum(SHARES.values())
UNANSWERABLE = {"reasoning": 0.5, "open": 0.2}
"""The share of a type's questions, 0 to 1, that the model does not answer."""
RECIPE = """
name = "proportions"
version = 1
system = "system"
[plan]
pairs = {pairs}
proportions = {{ factual = 15, comparative = 15, reasoning = 50, open = 20 }}
[ask]
prompt = "ask"
[answer]
prompt = "answer"
"""
CHUNK_CHARACTERS = 120
"""Size of a chunk: paragraphs are just too long to share one."""


@dataclass(frozen=True)
class Run:
    """Counts by type. `plans` is by chunk id; `strays` are chunks whose plan does not follow from their content."""

    pairs: int
    workers: int
    chunks: int
    plans: dict[str, dict[PairType, int]]
    strays: int
    kept: dict[str, int]
    exported: dict[str, int]

    @property
    def planned(self) -> Counter[str]:
        return Counter(kind for plan in self.plans.values() for kind, count in plan.items() for _ in range(count))

    @property
    def exact(self) -> bool:
        """True when the export has each type's share to within one pair."""
        total = sum(self.exported.values())
        return total > 0 and all(
            abs(self.exported.get(kind, 0) - total * part / WHOLE) < 1 for kind, part in SHARES.items()
        )


async def answer(_: web.Request, body: dict[str, Any]) -> web.Response | None:
    """The answer of the model, which refuses a question by its type and a hash of it, the same in each run."""
    if stage_of(body) != "answer":
        return None
    question = block_of(body, "question")
    chance = int(digest("chance", question)[:8], 16) / 16**8
    if chance >= next((share for kind, share in UNANSWERABLE.items() if kind in question), 0.0):
        return None
    given = orjson.loads(good_answer(body, text_of(body))) | {"answerable": False, "answer": "", "evidence": []}
    return completion(orjson.dumps(given).decode())


@asynccontextmanager
async def model() -> Iterator[str]:
    async with FakeModel(answer).serve() as server:
        yield server.url


def write_texts(folder: Path, sizes: Iterable[int]) -> None:
    folder.mkdir(parents=True)
    for size in sizes:
        paragraphs = (
            f"The tool T{size}x{n} is a stepper that exposes {n} wafers per hour at 193 nm." for n in range(size)
        )
        (folder / f"{size}.txt").write_text("\n\n".join(paragraphs))


def write_recipe(path: Path, pairs: int) -> None:
    path.write_text(RECIPE.format(pairs=pairs))


async def execute(*command: object) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *map(str, command),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{said.decode()[-3000:]}")


async def run(brokers: str, url: str, folder: Path, *, pairs: int, workers: int, sizes: Iterable[int]) -> Run:
    """Run the pipeline in a new `folder`, whose name and whose parent's name make the namespace."""
    recipe, output = folder / "recipe.toml", folder / "out"
    write_texts(folder / "in", sizes)
    write_recipe(recipe, pairs)
    await execute(
        "pipeline", "--once", "--input-dir", folder / "in", "--output-dir", output, "--recipe", recipe, "--no-cache",
        "--workers", workers, "--bootstrap-servers", brokers, "--namespace", f"{folder.parent.name}-{folder.name}",
        "--model-urls", url, "--chunk-size", CHUNK_CHARACTERS, "--partitions", 12,
    )  # fmt: skip
    await execute("consumer", "export", "--output-dir", output, "--format", "jsonl", "--balance", "--keep-duplicates")
    segments = sorted((output / "results").glob("*.jsonl"))
    results = [decode(Result, line) for path in segments for line in path.read_bytes().splitlines()]
    exported = (output / "exports" / "jsonl" / "train.jsonl").read_text().splitlines()
    plan = load_recipe(str(recipe)).plan
    return Run(
        pairs=pairs,
        workers=workers,
        chunks=len(results),
        plans={result.chunk.id: dict(result.planned) for result in results},
        strays=sum(
            dict(result.planned) != plan_of(chunk_of(result), plan, language_of(result.chunk.text).code)
            for result in results
        ),
        kept=dict(Counter(str(pair.type) for result in results for pair in result.pairs)),
        exported=dict(Counter(json.loads(line)["type"] for line in exported)),
    )


def chunk_of(result: Result) -> Chunk:
    ref = result.chunk
    return Chunk(
        chunk_id=ref.id, document=result.document, index=ref.index, start=ref.start, end=ref.end,
        headings=ref.headings, text=ref.text, content_key=ref.content_key,
    )  # fmt: skip


def faults(runs: list[Run]) -> Iterator[str]:
    """Descriptions of everything that breaks a promise."""
    plans: dict[int, dict[str, dict[PairType, int]]] = {}
    for each in runs:
        where = f"{each.pairs} pairs a chunk, {each.workers} workers"
        if each.strays:
            yield f"{where}: {each.strays} chunks have another plan than their content gives"
        if plans.setdefault(each.pairs, each.plans) != each.plans:
            yield f"{where}: not the plan of the run before"
        if not each.exact:
            yield f"{where}: the export is off by a pair or more: {each.exported}"


def table(runs: list[Run]) -> Iterator[str]:
    names = [str(kind) for kind in SHARES]
    yield f"Pairs by type: {', '.join(names)}.\n"
    yield "| pairs a chunk | workers | chunks | planned | exactly | kept | exported |"
    yield "|---|---|---|---|---|---|---|"
    for each in runs:
        exact = [f"{each.pairs * each.chunks * part / WHOLE:g}" for part in SHARES.values()]
        counts = [
            ", ".join(str(found.get(name, 0)) for name in names) for found in (each.planned, each.kept, each.exported)
        ]
        columns = [each.pairs, each.workers, each.chunks, counts[0], ", ".join(exact), *counts[1:]]
        yield f"| {' | '.join(map(str, columns))} |"


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


async def work(args: argparse.Namespace) -> int:
    runs = []
    with tempfile.TemporaryDirectory(prefix="proportions-") as name, Broker(data_dir=Path(name, "broker")) as broker:
        async with model() as url:
            for pairs in args.pairs:
                for workers in args.workers:
                    folder = Path(name, f"{pairs}-{workers}")
                    runs.append(
                        await run(broker.bootstrap_servers, url, folder, pairs=pairs, workers=workers, sizes=args.sizes)
                    )
                    print(f"{pairs} pairs a chunk, {workers} workers: done", file=sys.stderr, flush=True)
    print(*table(runs), sep="\n")
    found = list(faults(runs))
    print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=numbers, default=[1, 7, 50, 500], help="numbers of chunks of the documents")
    parser.add_argument("--pairs", type=numbers, default=[1, 2, 3, 5, 10], help="numbers of pairs per chunk")
    parser.add_argument("--workers", type=numbers, default=[1, 4])
    return asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
