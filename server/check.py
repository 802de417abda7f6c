"""The guide's connection test. It says if the model server answers, else what is wrong, with the guide's advice."""

import argparse
import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from configs.cli import add_settings, settings_from
from configs.sections import ModelSettings
from inference.chat import ChatMessage, ChatRequest
from inference.client import CONNECT_S, ModelClient, make_client
from inference.errors import Failure, FailureKind, ModelError
from server.errors import CheckError

QUESTION = "什么是半导体？"
_LATE = (
    "生成超时 / connected, but no answer within {timeout_s:g} s",
    "增加timeout配置值 (--timeout-s)；减少max_tokens参数 (--max-tokens)；检查网络连接",
)
_TEXTS = {
    FailureKind.KEY_REFUSED: (
        "API密钥不对 / {url} refuses the API key (HTTP {status})", "设置环境变量 / set VLLM_API_KEY"),
    FailureKind.UNKNOWN_HOST: (
        "域名无法解析 / host name not found: {url}", "检查base_url中的主机名 / check the host in base_url"),
    FailureKind.UNTRUSTED_CERTIFICATE: (
        "证书不受信任 / the certificate of {url} is not trusted",
        "设置model_ca_file / name its authority with --model-ca-file, and the host as its certificate does"),
    FailureKind.TLS_FAILED: ("TLS连接失败 / TLS fails at {url}", "检查地址是http还是https / is it http or https?"),
    FailureKind.CONNECTION_REFUSED: (
        "连接被拒绝 / connection refused: nothing listens at {url}",
        "检查vLLM服务是否已启动 (python start_vllm_server.py)；确认端口号是否正确（默认8000）"),
    FailureKind.CONNECT_TIMED_OUT: (
        "连接超时 / no connection to {url} within {connect_s:.0f} s", "检查防火墙设置；检查网络连接；确认地址是否正确"),
    FailureKind.NO_CONNECTION: (
        "无法连接 / no connection to {url}: {detail}",
        "检查vLLM服务是否已启动；确认端口号是否正确（默认8000）；检查防火墙设置"),
    FailureKind.TIMED_OUT: _LATE,
    FailureKind.STALLED: _LATE,
}  # fmt: skip
"""The reason and the advice of the guide's section "故障排除" for each kind of failure."""
_ERROR_STATUS = (
    "服务器返回错误 / {url} answers HTTP {status}: {said:.200}",
    "查看vLLM服务的日志 / see the log of the vLLM server",
)
_NO_SUCH_MODEL = (
    "没有名为 {model} 的模型 / no such model: {url} serves {served}",
    "检查model_name / check --model-name, or --served-model-name of the server",
)
_NOT_COMPATIBLE = (
    "不是OpenAI兼容的服务 / what answers at {url} is no OpenAI-compatible server",
    "确认端口号是否正确（默认8000）；地址应以/v1结尾 / the URL should end in /v1",
)


async def ask(model: ModelSettings, url: str) -> str:
    """The model's answer to the guide's question; its thoughts if it was cut before it answered. Raises CheckError."""
    request = ChatRequest(
        model=model.model_name,
        messages=(ChatMessage("user", QUESTION),),
        temperature=model.temperature,
        max_tokens=model.max_tokens,
    )
    client = make_client(model, url)
    try:
        completion = await client.complete(request, timeout_s=model.timeout_s)
    except ModelError as exc:
        if exc.partial is None:
            raise await _explained(exc, client, model) from exc
        completion = exc.partial
    finally:
        await client.close()
    return completion.content or completion.reasoning


async def _explained(error: ModelError, client: ModelClient, model: ModelSettings) -> CheckError:
    failure = error.failure
    if failure is None:
        return _said(_NOT_COMPATIBLE, client.url)
    if failure.kind is FailureKind.NOT_FOUND:
        return await _not_found(client, model)
    texts = _TEXTS.get(failure.kind) or (_NOT_COMPATIBLE if failure.said is None else _ERROR_STATUS)
    return _said(texts, client.url, failure, timeout_s=model.timeout_s)


async def _not_found(client: ModelClient, model: ModelSettings) -> CheckError:
    """404 means a model that isn't served, or a server that has no such path: the list of models tells."""
    try:
        served = await client.models()
    except ModelError:
        return _said(_NOT_COMPATIBLE, client.url)
    return _said(_NO_SUCH_MODEL, client.url, model=model.model_name, served=", ".join(served) or "none")


def _said(texts: tuple[str, str], url: str, failure: Failure | None = None, **values: object) -> CheckError:
    if failure is not None:
        values |= {"status": failure.status, "said": failure.said, "detail": failure.detail, "connect_s": CONNECT_S}
    reason, advice = texts
    return CheckError(reason.format(url=shown(url), **values), advice=advice)


def shown(url: str) -> str:
    """The URL without a password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


async def check_all(model: ModelSettings) -> int:
    """Asks every server and prints what it found; gives the exit code."""
    failures = 0
    for url in model.model_urls:
        if len(model.model_urls) > 1:
            print(f"{shown(url)}:")
        try:
            answer = await ask(model, url)
        except CheckError as exc:
            print(f"无法连接到vLLM服务器\n原因: {exc}\n建议: {exc.advice}")
            failures += 1
        else:
            print(f"成功连接到vLLM服务器\nQuestion: {QUESTION}\nAnswer: {answer}")
    return 1 if failures else 0


def main(argv: Sequence[str]) -> int:
    """The command `python -m server check`."""
    parser = argparse.ArgumentParser(
        prog="python -m server check",
        description="Asks the model server one question. If it does not answer, says what is wrong and what to do, and "
        "ends with exit code 1.",
    )
    parser.add_argument("--base-url", metavar="URL", help="such as http://localhost:8000/v1; several, comma-separated")
    add_settings(parser, "model_name", "temperature", "max_tokens", "timeout_s", "model_ca_file")
    args = parser.parse_args(argv)
    settings = settings_from(args, **({"model_urls": args.base_url} if args.base_url else {}))
    return asyncio.run(check_all(settings.model))
