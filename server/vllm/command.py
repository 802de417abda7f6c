"""Makes the command line of vLLM from the guide's flags. Pure, except that it looks at the model's files."""

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from configs.errors import SettingsError
from server.arguments import port_number
from server.broker.kafka_config import address

DEFAULT_MODEL_PATH = "/mnt/workspace/models/Qwen/QwQ-32B/"
_MODULE = "vllm.entrypoints.openai.api_server"  # the `vllm` script fails under the CPU build's distribution name
# xgrammar writes invalid JSON where strings have bounds. This backend does not, and its answers were six times shorter.
_STRUCTURED_OUTPUTS = json.dumps({"backend": "guidance", "disable_any_whitespace": True}, separators=(",", ":"))
_REASONING_PARSERS = (("qwq", "deepseek_r1"), ("qwen3", "qwen3"))
_NOT_REASONING = re.compile(r"instruct|coder|embedding|reranker|base", re.IGNORECASE)
_TEMPLATES = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """The arguments of the user. `more` goes to vLLM unchanged."""

    model_path: str
    host: str
    port: int
    gpu_memory_utilization: float | None  # None: not given
    tensor_parallel_size: int
    max_model_len: int
    served_model_name: tuple[str, ...]
    vllm_python: str | None
    more: tuple[str, ...]

    @property
    def local_url(self) -> str:
        """The server's URL for this machine, without /v1."""
        reachable = {"0.0.0.0": "localhost", "::": "localhost", "": "localhost"}.get(self.host, self.host)  # noqa: S104
        scheme = "https" if is_given(self.more, "--ssl-certfile") else "http"
        return f"{scheme}://{address(reachable, self.port)}"

    @property
    def shown_utilization(self) -> float:
        return DEFAULT_UTILIZATION if self.gpu_memory_utilization is None else self.gpu_memory_utilization


DEFAULT_UTILIZATION = 0.95


def parse(argv: Sequence[str], *, epilog: str = "") -> Launch:
    parser = argparse.ArgumentParser(
        prog="python -m server",
        description="Starts a vLLM server and says when it answers. Flags not named here go to vLLM unchanged.",
        epilog=epilog,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--model-path", default=DEFAULT_MODEL_PATH, help=f"folder, or name on the hub (default {DEFAULT_MODEL_PATH})")
    add("--host", default="0.0.0.0", help="address to listen on (default 0.0.0.0: all)")  # noqa: S104 - the guide's
    add("--port", type=port_number, default=8000, metavar="P", help="(default 8000)")
    add("--gpu-memory-utilization", type=float, metavar="X", help="share of the GPU's memory (default 0.95)")
    add("--tensor-parallel-size", type=int, default=1, metavar="N", help="GPUs that share the model (default 1)")
    add("--max-model-len", type=int, default=32768, metavar="N", help="tokens of prompt and answer (default 32768)")
    served = "in requests (default qwen-vllm)"
    add("--served-model-name", nargs="+", default=["qwen-vllm"], metavar="NAME", help=served)
    add("--vllm-python", metavar="PYTHON", help="interpreter with vLLM, if it is another one [QASTREAM_VLLM_PYTHON]")
    given, more = parser.parse_known_args(argv)
    if is_given(more, "--api-key"):
        raise SettingsError("--api-key would be visible to others. Set VLLM_API_KEY, or VLLM_API_KEY_FILE")
    names = tuple(given.served_model_name)
    return Launch(**vars(given) | {"served_model_name": names}, more=tuple(more))


def banner(launch: Launch) -> str:
    """The lines that the guide shows, word for word."""
    line = "=" * 60
    return f"""{line}
启动vLLM服务器
模型路径: {launch.model_path}
服务地址: http://{address(launch.host, launch.port)}
GPU内存利用率: {launch.shown_utilization}
张量并行大小: {launch.tensor_parallel_size}
最大模型长度: {launch.max_model_len}
{line}"""


def command(launch: Launch, *, python: str, on_cpu: bool) -> list[str]:
    """The command line of vLLM. A flag that the user gave is not given a second time."""
    arguments = {
        "--model": launch.model_path,
        "--host": launch.host,
        "--port": str(launch.port),
        "--tensor-parallel-size": str(launch.tensor_parallel_size),
        "--max-model-len": str(launch.max_model_len),
    }
    # In the CPU build this is a share of the machine's memory, of which 95 % is never free: give it only if asked.
    if launch.gpu_memory_utilization is not None or not on_cpu:
        arguments["--gpu-memory-utilization"] = str(launch.shown_utilization)
    if not is_given(launch.more, "--structured-outputs-config"):
        arguments["--structured-outputs-config"] = _STRUCTURED_OUTPUTS
    if not is_given(launch.more, "--reasoning-parser") and (parser := reasoning_parser(launch.model_path)):
        arguments["--reasoning-parser"] = parser
    switches = [] if is_given(launch.more, "--enable-prompt-tokens-details") else ["--enable-prompt-tokens-details"]
    flat = [part for argument in arguments.items() for part in argument]
    names = ["--served-model-name", *launch.served_model_name]
    return [python, "-m", _MODULE, *flat, *names, *switches, *launch.more]


def is_given(arguments: Sequence[str], flag: str) -> bool:
    """True if a vLLM flag is given, in any spelling (`--a_b`, `--a-b=…`, `--a-b.c`, `--no-a-b`)."""
    names = {re.split(r"[=.]", argument, maxsplit=1)[0].replace("_", "-") for argument in arguments}
    return flag in names or f"--no-{flag.removeprefix('--')}" in names


def reasoning_parser(model_path: str) -> str | None:
    """The parser for a model's thoughts, by its name; None if it has none, since a parser would wait for their end."""
    name = model_path.rstrip("/").rpartition("/")[2].lower()
    for part, parser in _REASONING_PARSERS:
        if part in name and not _NOT_REASONING.search(name) and _thinks(Path(model_path)):
            return parser
    return None


def _thinks(model: Path) -> bool:
    """True if the chat template mentions thoughts, or if there is no template to read."""
    templates = [model / name for name in _TEMPLATES if (model / name).is_file()]
    return not templates or any("think" in file.read_text(encoding="utf-8", errors="replace") for file in templates)


def check_model_path(model_path: str) -> None:
    """Raises SettingsError for a local path that does not exist. A name on the hub (`Qwen/QwQ-32B`) passes."""
    names_hub = re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model_path) and not model_path.startswith(".")
    if not (names_hub or "://" in model_path or Path(model_path).exists()):
        missing = f"模型路径不存在 / no such model path: {model_path}"
        raise SettingsError(f"{missing}。检查模型路径是否正确 / check --model-path")
