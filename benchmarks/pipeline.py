"""Measures output tokens per second of the whole pipeline on a real vLLM, by the most calls in flight of a worker.

    python benchmarks/pipeline.py --url http://127.0.0.1:8000/v1 --concurrency 32,64,128,256,1024 --seconds 60

It starts a Kafka broker of its own. Each run has its own texts (no prefix cache helps a later run), a cold limit and no
generation cache, and is stopped in the middle of its work. Tokens are the server's own count. A large number leaves the
limit to the controller; the small numbers show what the controller has to find.
"""

import argparse
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from server.broker.node import Broker  # noqa: E402

WORDS = ("gate", "oxide", "film", "plasma", "etch", "dopant", "wafer", "mask", "pixel", "panel", "anode", "layer")
FILES, CHUNKS = 400, 10
RECIPE = """
name = "bench"
version = 1
system = "system"
[plan]
characters_each = { zh = 300, en = 1000 }
most = 2
proportions = { factual = 15, comparative = 15, reasoning = 50, open = 20 }
[limits]
question_characters = 120
answer_characters = 240
reasoning_characters = 240
quotes = 1
quote_characters = 120
[one_call]
prompt = "fast"
"""
"""A recipe of short answers, because a model of random weights fills every string."""


@dataclass(frozen=True)
class Run:
    """A run: tokens per second once warm, `from_cold` with the start of the processes; latency of calls in seconds."""

    concurrency: int
    workers: int
    tokens_per_s: float
    from_cold: float
    p50_s: float
    running: float
    waiting: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--concurrency", default="32,64,128,256,1024")
    parser.add_argument("--workers", default="1", help="numbers of workers for the last concurrency, comma-separated")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    levels = [int(level) for level in args.concurrency.split(",")]
    plan = [(level, 1) for level in levels[:-1]] + [(levels[-1], int(n)) for n in args.workers.split(",")]
    with tempfile.TemporaryDirectory(prefix="qastream-bench-") as folder, Broker(data_dir=Path(folder) / "b") as broker:
        recipe = Path(folder) / "bench.toml"
        recipe.write_text(RECIPE)
        runs = []
        for level, workers in plan:
            base = Path(folder) / f"{level}-{workers}"
            command = _command(base, args.url, broker.bootstrap_servers, recipe, level, workers)
            runs.append(measure(command, base, args.url, level, workers, args.seconds))
            print(json.dumps(asdict(runs[-1])), flush=True)
    if args.json:
        args.json.write_text(json.dumps([asdict(run) for run in runs]))


def measure(command: list[str], base: Path, url: str, concurrency: int, workers: int, seconds: float) -> Run:
    _write_texts(base / "in", seed=f"{concurrency} {workers}")
    environment = os.environ | {"QASTREAM_CACHE": "false", "QASTREAM_NAMESPACE": f"bench-{concurrency}-{workers}"}
    began = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    samples = []
    while (now := time.monotonic()) < began + seconds:
        assert process.poll() is None, process.stderr.read()[-2000:] if process.stderr else ""
        samples.append((now - began, *_server(url)))
        time.sleep(1)
    process.send_signal(signal.SIGINT)
    process.communicate()
    warm = [sample for sample in samples if sample[0] >= seconds / 2]
    return Run(
        concurrency,
        workers,
        tokens_per_s=(warm[-1][1] - warm[0][1]) / (warm[-1][0] - warm[0][0]),
        from_cold=(samples[-1][1] - samples[0][1]) / (samples[-1][0] - samples[0][0]),
        p50_s=_median_latency_s(base / "out"),
        running=statistics.mean(sample[2] for sample in warm),
        waiting=statistics.mean(sample[3] for sample in warm),
    )


def _command(base: Path, url: str, brokers: str, recipe: Path, concurrency: int, workers: int) -> list[str]:
    return [
        *(sys.executable, "-m", "pipeline", "--input-dir", str(base / "in"), "--output-dir", str(base / "out")),
        *("--model-urls", url, "--bootstrap-servers", brokers, "--recipe", str(recipe)),
        *("--concurrency", str(concurrency), "--workers", str(workers)),
    ]


def _write_texts(folder: Path, *, seed: str) -> None:
    chance = random.Random(seed)
    folder.mkdir(parents=True)
    for number in range(FILES):
        lines = (" ".join(chance.choices(WORDS, k=15)).capitalize() + "." for _ in range(CHUNKS * 20))
        (folder / f"{number}.txt").write_text("\n\n".join(lines))


def _server(url: str) -> tuple[float, float, float]:
    """Output tokens so far, and the requests that run and wait now."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return tuple(  # type: ignore[return-value]
        sum(float(value) for value in re.findall(rf"^vllm:{name}{{[^}}]*}} (\S+)$", text, re.MULTILINE))
        for name in ("generation_tokens_total", "num_requests_running", "num_requests_waiting")
    )


def _median_latency_s(output: Path) -> float:
    lines = (line for path in (output / "results").glob("*.jsonl") for line in path.open(encoding="utf-8"))
    spent = [result["timing"]["model_ms"] / 1000 for result in map(json.loads, lines) if result["usage"]["calls"] == 1]
    return statistics.median(spent) if spent else 0.0


if __name__ == "__main__":
    main()
