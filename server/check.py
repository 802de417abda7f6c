"""Is the model server there, and does it answer? The guide's connection test, with its advice when it is not."""

import argparse
import asyncio
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import openai
from openai import AsyncOpenAI, DefaultAioHttpClient
from openai.types.chat import ChatCompletion

from configs.cli import add_settings, settings_from
from configs.sections import ModelSettings
from configs.tls import model_context
from server.errors import CheckError

QUESTION = "什么是半导体？"
_CONNECT_S = 5.0
_LIST_S = 10.0


@dataclass(frozen=True, slots=True)
class Failure:
    """What is wrong, and the guide's advice (its section "故障排除") for it; a line each."""

    reason: str
    advice: str


async def ask(model: ModelSettings, url: str) -> str:
    """The model's answer to the guide's question. Raises CheckError, whose argument is a Failure."""
    timeout = openai.Timeout(model.timeout_s, connect=_CONNECT_S)
    async with AsyncOpenAI(
        base_url=url,
        api_key=model.api_key.get_secret_value(),
        max_retries=0,
        timeout=timeout,
        http_client=DefaultAioHttpClient(timeout=timeout, verify=model_context(model.model_ca_file)),
    ) as client:
        try:
            completion = await client.chat.completions.create(
                model=model.model_name,
                messages=[{"role": "user", "content": QUESTION}],
                temperature=model.temperature,
                max_tokens=model.max_tokens,
            )
        except openai.NotFoundError:
            raise CheckError(await _not_found(client, model, url)) from None
        except (openai.OpenAIError, aiohttp.ClientError) as exc:  # the second: what was read is no HTTP
            raise CheckError(explain(exc, model=model, url=url)) from exc
    return _text(completion, url)


def _text(completion: object, url: str) -> str:
    """Also of a model that was cut in mid-thought: then its thoughts are all there is."""
    if not isinstance(completion, ChatCompletion) or not completion.choices:
        raise CheckError(_not_compatible(url))
    message = completion.choices[0].message
    return message.content or str(getattr(message, "reasoning", None) or "")


async def _not_found(client: AsyncOpenAI, model: ModelSettings, url: str) -> Failure:
    """404 is either a model that isn't served, or a server that has no such path."""
    try:
        models = await client.with_options(timeout=_LIST_S).models.list()
        names = [model.id for model in models.data]
    except (openai.OpenAIError, AttributeError, TypeError):
        return _not_compatible(url)
    return Failure(
        f"没有名为 {model.model_name} 的模型 / no such model: {shown(url)} serves {', '.join(names) or 'none'}",
        "检查model_name / check --model-name, or --served-model-name of the server",
    )


def explain(error: Exception, *, model: ModelSettings, url: str) -> Failure:
    """The cause of an error. The aiohttp transport calls refused, reset and closed all time-outs: `__cause__` tells."""
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return Failure(
            f"API密钥不对 / {shown(url)} refuses the API key (HTTP {error.status_code})",
            "设置环境变量 / set VLLM_API_KEY",
        )
    if isinstance(error, openai.APIStatusError):
        return _from_status(error, url)
    if isinstance(error, openai.APIResponseValidationError):
        return _not_compatible(url)
    return _from_causes(list(_causes(error)), model=model, url=url)


def _from_status(error: openai.APIStatusError, url: str) -> Failure:
    said = error.body.get("message") if isinstance(error.body, dict) else None
    if said is None:
        return _not_compatible(url)
    return Failure(
        f"服务器返回错误 / {shown(url)} answers HTTP {error.status_code}: {str(said)[:200]}",
        "查看vLLM服务的日志 / see the log of the vLLM server",
    )


def _from_causes(causes: list[BaseException], *, model: ModelSettings, url: str) -> Failure:
    for kinds, failure in (
        (
            (aiohttp.ClientConnectorDNSError,),
            Failure(
                f"域名无法解析 / host name not found: {shown(url)}",
                "检查base_url中的主机名 / check the host in base_url",
            ),
        ),
        (
            (ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError),
            Failure(
                f"证书不受信任 / the certificate of {shown(url)} is not trusted",
                "设置model_ca_file / name its authority with --model-ca-file, and the host as its certificate does",
            ),
        ),
        (
            (ssl.SSLError, aiohttp.ClientSSLError),
            Failure(f"TLS连接失败 / TLS fails at {shown(url)}", "检查地址是http还是https / is it http or https?"),
        ),
        (
            (ConnectionRefusedError,),
            Failure(
                f"连接被拒绝 / connection refused: nothing listens at {shown(url)}",
                "检查vLLM服务是否已启动 (python start_vllm_server.py)；确认端口号是否正确（默认8000）",
            ),
        ),
        (
            (aiohttp.ConnectionTimeoutError,),
            Failure(
                f"连接超时 / no connection to {shown(url)} within {_CONNECT_S:.0f} s",
                "检查防火墙设置；检查网络连接；确认地址是否正确",
            ),
        ),
        (
            (aiohttp.ServerTimeoutError,),
            Failure(
                f"生成超时 / connected, but no answer within {model.timeout_s:g} s",
                "增加timeout配置值 (--timeout-s)；减少max_tokens参数 (--max-tokens)；检查网络连接",
            ),
        ),
        (
            (
                aiohttp.ServerDisconnectedError,
                aiohttp.ClientPayloadError,
                aiohttp.ClientResponseError,
                ConnectionResetError,
            ),
            _not_compatible(url),
        ),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return failure
    return Failure(
        f"无法连接 / no connection to {shown(url)}: {causes[-1]}",
        "检查vLLM服务是否已启动；确认端口号是否正确（默认8000）；检查防火墙设置",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        if isinstance(cause, aiohttp.ClientConnectorError):
            yield cause.os_error
        cause = cause.__cause__ or cause.__context__


def _not_compatible(url: str) -> Failure:
    return Failure(
        f"不是OpenAI兼容的服务 / what answers at {shown(url)} is no OpenAI-compatible server",
        "确认端口号是否正确（默认8000）；地址应以/v1结尾 / the URL should end in /v1",
    )


def shown(url: str) -> str:
    """Without a password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


async def _check_all(model: ModelSettings) -> int:
    failures = 0
    for url in model.model_urls:
        if len(model.model_urls) > 1:
            print(f"{shown(url)}:")
        try:
            answer = await ask(model, url)
        except CheckError as exc:
            failure: Failure = exc.args[0]
            print(f"无法连接到vLLM服务器\n原因: {failure.reason}\n建议: {failure.advice}")
            failures += 1
        else:
            print(f"成功连接到vLLM服务器\nQuestion: {QUESTION}\nAnswer: {answer}")
    return 1 if failures else 0


def main(argv: Sequence[str]) -> int:
    """The command `python -m server check`."""
    parser = argparse.ArgumentParser(
        prog="python -m server check",
        description="Asks the model server one question. On failure: what is wrong, and what to do. Exit code 1 then.",
    )
    parser.add_argument("--base-url", metavar="URL", help="such as http://localhost:8000/v1; several, comma-separated")
    add_settings(parser, "model_name", "temperature", "max_tokens", "timeout_s", "model_ca_file")
    args = parser.parse_args(argv)
    settings = settings_from(args, **({"model_urls": args.base_url} if args.base_url else {}))
    return asyncio.run(_check_all(settings.model))
