"""Checks a reasoning model on a real vLLM: its parser is chosen, thoughts are separate, the answer has its own tokens.

    python benchmarks/reasoning.py

`python -m server` starts a tiny Qwen3 that thinks (random weights, on the CPU). It is asked for JSON with room to
think, with a limit that cuts it in mid-thought, and with thinking switched off. Exits with 1 for a broken promise.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from configs.settings import load_settings  # noqa: E402
from inference.chat import ChatMessage, ChatRequest, ResponseFormat  # noqa: E402
from inference.client import ModelClient, make_client  # noqa: E402
from inference.errors import MalformedError, TruncatedError  # noqa: E402
from server.ports import free_port  # noqa: E402
from telemetry.children import ends_with_parent  # noqa: E402
from tests.vllm_cpu import server as vllm  # noqa: E402

TIMEOUT_S = 600.0
TRIES = 10
"""Number of tries of each request, because the thoughts of the model are random."""
WORD = {"type": "string", "enum": ["yes", "no"]}
SCHEMA = {"type": "object", "properties": {"answer": WORD}, "required": ["answer"], "additionalProperties": False}
CASES: dict[str, dict[str, Any]] = {
    "thinking, with room": {"max_tokens": 2048},
    "thinking, cut at 4 tokens": {"max_tokens": 4},
    "thinking switched off": {"max_tokens": 64, "thinking": False},
}
STOPPED = "stopped in mid-thought"
"""An outcome by chance, since this model's tokens are random: a malformed answer, which is asked for again."""
EXPECTED = {
    "thinking, with room": "answer and thoughts",
    "thinking, cut at 4 tokens": "cut",
    "thinking switched off": "answer",
}


@contextmanager
def thinking_server(folder: Path) -> Iterator[str]:
    """A model server started by our launcher, which is not given a parser."""
    model, port = folder / "tiny-qwen3", free_port("127.0.0.1")
    vllm.ensure_installed()
    make = [str(vllm.PYTHON), str(vllm.HERE / "tiny_model.py"), "--thinks", str(model), str(vllm.TEXT_DIR)]
    subprocess.run(make, check=True, env=vllm.environment(), capture_output=True)
    flags = ["--enforce-eager", "--no-enable-chunked-prefill", "--vllm-python", str(vllm.PYTHON)]
    where = ["--model-path", str(model), "--host", "127.0.0.1", "--port", str(port), "--max-model-len", "4096"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", *where, *flags],
            cwd=ROOT,
            env=vllm.environment(),
            stdout=log,
            stderr=log,
            preexec_fn=ends_with_parent(),  # noqa: PLW1509
        )
    running = vllm.RunningVllm(
        base_url=f"http://127.0.0.1:{port}", model=vllm.SERVED_MODEL_NAME, log_path=folder / "log", process=process
    )
    try:
        vllm.wait_ready(running, timeout_s=240)
        yield f"{running.base_url}/v1"
    finally:
        process.terminate()
        process.wait(60)


async def outcome(client: ModelClient, number: int, more: dict[str, Any]) -> str:
    request = ChatRequest(
        model=vllm.SERVED_MODEL_NAME,
        messages=(ChatMessage("user", f"Is a film of {number} nm thin?"),),
        temperature=1.0,
        response_format=ResponseFormat("answer", SCHEMA),
        **more,
    )
    try:
        answer = await client.complete(request, timeout_s=TIMEOUT_S)
    except TruncatedError:
        return "cut"
    except MalformedError:
        return STOPPED
    if json.loads(answer.content)["answer"] not in WORD["enum"]:
        return f"no answer: {answer.content!r}"
    return "answer and thoughts" if answer.reasoning else "answer"


async def ask(url: str) -> bool:
    client = make_client(load_settings().model, url)
    good = True
    try:
        for name, more in CASES.items():
            seen = Counter([await outcome(client, number, more) for number in range(TRIES)])
            print(f"{name}: {dict(seen)}", flush=True)
            good = good and set(seen) - {STOPPED} == {EXPECTED[name]}
    finally:
        await client.close()
    return good


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="qastream-reasoning-") as folder, thinking_server(Path(folder)) as url:
        sys.exit(0 if asyncio.run(ask(url)) else 1)


if __name__ == "__main__":
    main()
