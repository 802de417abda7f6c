"""The settings in sections, with the checks of each; `configs.settings` loads them.

Each description is the text of `--help` and of docs/configuration.md.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

from configs.ranges import parse_partitions, show_partitions

LEAST_TOKENS = 50
"""The smallest size of chunks in tokens; smaller chunks say too little to ask about."""
DEFAULT_BOOTSTRAP = "localhost:9092"


def _setting(default: Any, text: str, **rules: Any) -> Any:
    """Declare a setting by its default, its text for `--help` and the reference, and its bounds."""
    return Field(default=default, description=text, **rules)


def _user_path(value: object) -> object:
    """Expand `~`, and refuse an empty path: a script's unset variable would otherwise mean the current directory."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        raise ValueError("is empty. Name a path, or leave it out")
    if "://" in value:
        raise ValueError("is a URL, and a path is wanted here; cache_url takes the URL of a cache")
    if not value.startswith("~"):
        return value
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ValueError("begins with ~, and this user has no home directory. Name the whole path") from None


def _split(value: object) -> object:
    """Turn comma-separated text into a tuple of its non-empty parts."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _check_urls(urls: tuple[str, ...]) -> tuple[str, ...]:
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{_without_password(url)!r} is not an http(s) URL such as http://localhost:8000/v1")
        if "@" in parts.netloc:
            raise ValueError(f"{_without_password(url)!r} has a password, which results would show. Set VLLM_API_KEY")
    return tuple(url.rstrip("/") for url in urls)


def _without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", url)


UserPath = Annotated[Path, BeforeValidator(_user_path)]
CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Urls = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_check_urls)]


class Section(BaseModel):
    """A frozen part of the settings. A field's name is also its name as a flag, as a variable and in a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @classmethod
    def part_of(cls, flat: BaseModel) -> Self:
        """Take this section's fields out of `flat`, which has checked them already."""
        values = {name: getattr(flat, name) for name in cls.model_fields}
        return super().model_construct(flat.model_fields_set & values.keys(), **values)

    def replaced(self, **values: Any) -> Self:
        """Return a copy with other `values`. They are not checked, and they count as given."""
        return self.model_copy(update=values)


class KafkaSettings(Section):
    """Access to Kafka, and the properties of new topics."""

    bootstrap_servers: str | None = _setting(None, "Addresses of Kafka brokers, host:port, comma-separated. Default "
        f"{DEFAULT_BOOTSTRAP}; when it is not set, `python -m pipeline` starts a broker of its own.",
        validation_alias="KAFKA_BOOTSTRAP_SERVERS")  # fmt: skip
    namespace: str = _setting("qa", "Prefix of the topics, the consumer group and the transactional ids.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")  # fmt: skip
    partitions: int = _setting(12, "Number of partitions of a topic that has to be created.", ge=1, le=1000)
    replication_factor: int = _setting(
        0, "Number of replicas of a topic that has to be created. 0 means one on each broker, at most 3.", ge=0, le=9
    )
    # zstd is five times as fast as lz4 with aiokafka, and smaller
    compression: Literal["zstd", "lz4", "gzip", "none"] = _setting(
        "zstd", "Compression of records written to Kafka. Brokers unpack records, so each broker must support it."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = _setting(
        "PLAINTEXT", "Protocol of the brokers. SSL in the name means TLS, SASL means a user name and a password."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = _setting(
        "SCRAM-SHA-512", "Method by which Kafka checks the password."
    )
    sasl_username: str = _setting("", "User name for Kafka.")
    sasl_password: SecretStr | None = _setting(None, "Password for Kafka.")
    ssl_cafile: UserPath | None = _setting(
        None, "PEM file of the certificate authorities for the brokers. Default: the system's."
    )
    ssl_certfile: UserPath | None = _setting(None, "PEM file of the client certificate, for mutual TLS.")
    ssl_keyfile: UserPath | None = _setting(None, "PEM file of the client certificate's key, if it is in another file.")
    ssl_key_password: SecretStr | None = _setting(None, "Password of the client certificate's key.")

    @model_validator(mode="after")
    def _check_security(self) -> Self:
        """Refuse security settings without effect, so that nobody relies on a protection that is not there."""
        protocol = self.security_protocol
        if {bool(self.sasl_username), self.sasl_password is not None} != {protocol.startswith("SASL")}:
            raise ValueError(
                "security_protocol SASL_SSL or SASL_PLAINTEXT, sasl_username and sasl_password go together"
            )
        if (self.ssl_cafile or self.ssl_certfile) and not protocol.endswith("SSL"):
            raise ValueError(f"ssl_cafile and ssl_certfile need security_protocol SSL or SASL_SSL; it is {protocol}")
        if (self.ssl_keyfile or self.ssl_key_password) and not self.ssl_certfile:
            raise ValueError("ssl_keyfile and ssl_key_password need ssl_certfile")
        return self

    @property
    def brokers(self) -> str:
        """Addresses of the brokers, host:port, comma-separated; the default where none is given."""
        return self.bootstrap_servers or DEFAULT_BOOTSTRAP


class ModelSettings(Section):
    """One model, its servers and its sampling; the judge has an instance of its own."""

    model_urls: Urls = _setting(("http://localhost:8000/v1",), "Base URLs of the model servers, comma-separated.",
        min_length=1, validation_alias="VLLM_SERVER_URL")  # fmt: skip
    api_key: SecretStr = _setting(
        SecretStr("dummy-key"), "API key of the model servers.", validation_alias="VLLM_API_KEY"
    )
    model_ca_file: UserPath | None = _setting(
        None, "PEM file of the certificate authorities for the model servers. Default: the system's."
    )
    model_name: str = _setting("qwen-vllm", "Name of the model at the server.", min_length=1)
    temperature: float = _setting(0.7, "Sampling temperature.", ge=0, le=2)
    max_tokens: int = _setting(2048, "Largest number of tokens of one answer.", ge=1, le=1_000_000)
    reasoning_max_tokens: int = _setting(
        0, "Tokens that a reasoning model may think with, in addition to max_tokens.", ge=0, le=1_000_000
    )
    timeout_s: float = _setting(600.0, "Longest time for one answer in seconds, waiting included.", gt=0, le=86_400)

    share: float = _setting(
        1.0, "Part of the model servers' capacity that we use. Below 1, requests of other clients go first.", gt=0, le=1
    )
    priority: int | None = _setting(
        None, "Priority sent with each request, for vLLM with --scheduling-policy priority. Higher numbers wait longer."
    )


class JudgeSettings(Section):
    """Another model that judges the answers, if there is one."""

    judge_urls: Urls = _setting((), "Base URLs of the model that judges answers, comma-separated, where the recipe has "
        "a [judge]. Default: the servers at model_urls.")  # fmt: skip
    judge_model_name: str = _setting("", "Name of the model that judges, at judge_urls or else at model_urls.")
    judge_api_key: SecretStr = _setting(SecretStr("dummy-key"), "API key of the servers at judge_urls.")

    def in_place_of(self, model: ModelSettings) -> ModelSettings | None:
        """Return `model` with the judge's name and servers, or None if no other model judges."""
        if not self.judge_urls and not self.judge_model_name:
            return None
        server = {"model_urls": self.judge_urls, "api_key": self.judge_api_key} if self.judge_urls else {}
        return model.replaced(**server, model_name=self.judge_model_name or model.model_name)


class WorkerSettings(Section):
    """A worker's calls in flight, recipe, cache and membership in the consumer group."""

    concurrency: int = _setting(
        64, "Largest number of calls in flight from one worker to one model server.", ge=1, le=4096
    )
    recipe: str = _setting("fast", "Name of a recipe in configs/recipes, or path of a recipe file.", min_length=1)
    cache: bool = _setting(True, "Answer repeated calls from the generation cache.")
    cache_path: UserPath | None = _setting(None, "File of the generation cache. Default: in the user's cache "
        "directory; `python -m pipeline` puts it into the output directory.")  # fmt: skip
    cache_bytes: int = _setting(
        10 * 1024**3, "Size at which the oldest tenth of the cache is dropped, in bytes.", ge=1024**2
    )
    cache_url: SecretStr | None = _setting(None, "URL of a cache on Redis, shared by workers on several hosts, such as "
        "redis://host:6379/0. It replaces the file.")  # fmt: skip
    flush_ms: int = _setting(200, "Longest time in milliseconds for which finished outcomes wait for others before a "
        "transaction.", ge=1, le=60_000)  # fmt: skip
    drain_s: float = _setting(
        5.0, "Longest time in seconds for which a stopping worker waits for its calls.", ge=0, le=600
    )
    session_timeout_ms: int = _setting(
        10_000, "Silence in milliseconds after which a worker loses its partitions.", ge=1_000, le=600_000
    )

    @field_validator("cache_url")
    @classmethod
    def _check_cache_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and urlsplit(url.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("takes redis://, rediss:// or unix://; a file is named by cache_path")
        return url


class ProducerSettings(Section):
    """The watched directory, and how its files become chunks."""

    input_dir: UserPath | None = _setting(None, "Directory to watch for texts.")
    source: str = _setting("", "Name of the watched directory in document ids; one producer runs for each name. "
        "Default: the directory's own name.", max_length=200)  # fmt: skip
    chunk_size: int = _setting(2000, "Largest size of a chunk in characters.", ge=50, le=200_000)
    chunk_overlap: int = _setting(
        0, "Number of characters (with --chunk-tokens: tokens) repeated from the previous chunk.", ge=0, le=100_000
    )
    chunk_tokens: int = _setting(0, "Largest size of a chunk in tokens, counted by --tokenizer. It replaces "
        "--chunk-size; 0 switches it off.", ge=0, le=100_000)  # fmt: skip
    tokenizer: str = _setting(
        "", "A tokenizer.json, the directory of a model that has one, or a model's name on the Hugging Face hub."
    )
    encoding: str | None = _setting(None, "Encoding of all files. Default: it is detected for each file.")
    settle_ms: int = _setting(
        500, "Time in milliseconds for which a file must not change before it is read.", ge=0, le=3_600_000
    )
    scan_interval_s: float = _setting(5.0, "Time between full scans of the directory in seconds.", gt=0, le=86_400)
    max_file_bytes: int = _setting(
        2 * 1024**3, "Largest size of a file in bytes. Larger files are rejected with a dead letter.", ge=1
    )

    include: CommaList = _setting((), "Globs of the only files that are read, comma-separated. A glob with a / is "
        "compared with the path, others with the name.")  # fmt: skip
    exclude: CommaList = _setting(
        (), "Globs of files that are not read, comma-separated. `drafts/*` leaves out a whole folder."
    )

    max_backlog: int = _setting(
        0, "Number of chunks without an outcome above which publishing pauses. 0 means that it never pauses.", ge=0
    )
    on_done: Literal["keep", "move", "delete"] = _setting("keep", "What happens to a file when all its outcomes are on "
        "disk in --output-dir. For move and delete the producer must see that directory.")  # fmt: skip
    done_dir: UserPath | None = _setting(None, "Directory that --on-done move puts files into.")

    @field_validator("source")
    @classmethod
    def _check_source(cls, source: str) -> str:
        if source and not re.fullmatch(r"[\w.-]+", source):
            raise ValueError("takes letters, digits, '_', '-' and '.'")
        return source

    @model_validator(mode="after")
    def _check_overlap(self) -> Self:
        if 0 < self.chunk_tokens < LEAST_TOKENS:
            raise ValueError(f"chunk_tokens takes 0, or {LEAST_TOKENS} and more")
        if self.chunk_overlap * 2 > (self.chunk_tokens or self.chunk_size):
            raise ValueError("chunk_overlap takes at most half of chunk_size, or of chunk_tokens")
        return self


class SinkSettings(Section):
    """The output directory, and what the sink writes there."""

    output_dir: UserPath | None = _setting(None, "Directory for the results.")
    only_partitions: str = _setting("all", "Partitions of the results that this sink writes, such as 0-5,7. Other "
        "sinks may write the rest, also into the same directory.")  # fmt: skip
    segment_ms: int = _setting(300, "Age in milliseconds at which a segment is closed.", ge=1, le=600_000)
    segment_bytes: int = _setting(64 * 1024**2, "Size in bytes at which a segment is closed.", ge=1024)
    formats: Annotated[tuple[Literal["documents", "parquet"], ...], NoDecode] = _setting(("documents",),
        "Formats made from the segments, comma-separated: documents (one JSON file for each document), parquet (one "
        "row for each pair); or none.")  # fmt: skip

    @field_validator("only_partitions")
    @classmethod
    def _check_partitions(cls, text: str) -> str:
        return show_partitions(parse_partitions(text))

    @field_validator("formats", mode="before")
    @classmethod
    def _split_formats(cls, value: object) -> object:
        names = _split(value)
        return () if names == ("none",) else names


class ServerSettings(Section):
    """The model server on this machine."""

    vllm_python: str | None = _setting(
        None, "Python interpreter that has vLLM. Default: the one that runs the command."
    )


class TelemetrySettings(Section):
    """Logs, metrics, health and traces."""

    log_level: Literal["debug", "info", "warning", "error"] = _setting("info", "Lowest level that is logged.")
    log_format: Literal["auto", "human", "json"] = _setting(
        "auto", "Format of the log. auto means human on a terminal and JSON elsewhere."
    )

    metrics_port: int = _setting(
        0, "Port of /metrics, /livez and /readyz; each process needs its own. 0 means none.", ge=0, le=65_535
    )
    metrics_host: str = _setting("127.0.0.1", "Address that the metrics port listens on. 0.0.0.0 makes it reachable "
        "from other machines.", min_length=1)  # fmt: skip
    otlp_endpoint: str | None = _setting(
        None, "Base URL of an OpenTelemetry collector that takes OTLP over HTTP, such as http://localhost:4318."
    )

    @field_validator("otlp_endpoint")
    @classmethod
    def _check_otlp_endpoint(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError("takes an http(s) URL such as http://localhost:4318")
        return url
