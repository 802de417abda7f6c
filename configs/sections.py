"""The settings, in sections: a function takes the section that it needs. `configs.settings` loads them."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
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

GUIDE_ENVIRONMENT = {
    "model_urls": "VLLM_SERVER_URL",
    "api_key": "VLLM_API_KEY",
    "bootstrap_servers": "KAFKA_BOOTSTRAP_SERVERS",
}
LEAST_TOKENS = 50
DEFAULT_BOOTSTRAP = "localhost:9092"


def _named(field: str) -> AliasChoices:
    return AliasChoices(GUIDE_ENVIRONMENT[field])


def _user_path(value: object) -> object:
    """Empty, as from a script's variable that is not set, would mean the current directory."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        raise ValueError("is empty. Name a path, or leave it out")
    return Path(value).expanduser() if value.startswith("~") else value


def _split(value: object) -> object:
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
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Urls = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Section(BaseModel):
    """A frozen part of the settings. Each field's name is also its flag, its variable and its name in a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @classmethod
    def part_of(cls, flat: BaseModel) -> Self:
        """The section with the values of `flat`, which has its fields and has checked them."""
        values = {name: getattr(flat, name) for name in cls.model_fields}
        return super().model_construct(flat.model_fields_set & values.keys(), **values)

    def given(self) -> dict[str, Any]:
        """Values by field, of the fields that a flag, the environment or a file has set."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}

    def replaced(self, **values: Any) -> Self:
        """A copy that has `values`, which are taken to be right and count as given."""
        return self.model_copy(update=values)


class KafkaSettings(Section):
    """How Kafka is reached, and what its topics are like."""

    bootstrap_servers: str | None = Field(
        default=None,
        validation_alias=_named("bootstrap_servers"),
        description=f"Kafka brokers, host:port, comma-separated. Default {DEFAULT_BOOTSTRAP}; "
        "`python -m pipeline` starts a broker of its own when it is not set.",
    )
    namespace: str = Field(
        default="qa", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", description="Prefix of topics, group and ids."
    )
    partitions: int = Field(
        default=12, ge=1, le=1000, description="Partitions of a topic that has to be created; no flag of the sink."
    )
    replication_factor: int = Field(
        default=0, ge=0, le=9, description="Copies of a topic that has to be created; 0: one a broker, at most 3."
    )
    compression: Literal["zstd", "lz4", "gzip", "none"] = Field(
        default="zstd",  # with aiokafka five times as fast as lz4, and smaller
        description="Of what is written to Kafka. Brokers unpack it too: one that can't needs another.",
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How Kafka is reached: ..SSL over TLS, SASL_.. with a user name and password."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How the password is proved to Kafka."
    )
    sasl_username: str = Field(default="", description="User name at Kafka.")
    sasl_password: SecretStr | None = Field(default=None, description="Password at Kafka.")
    ssl_cafile: UserPath | None = Field(
        default=None,
        description="PEM file of the authorities that sign the brokers' certificates, if not the system's.",
    )
    ssl_certfile: UserPath | None = Field(default=None, description="PEM file of our own certificate, for mutual TLS.")
    ssl_keyfile: UserPath | None = Field(default=None, description="PEM file of its key, if not in the same file.")
    ssl_key_password: SecretStr | None = Field(default=None, description="Password of that key.")

    @model_validator(mode="after")
    def _check_security(self) -> Self:
        """What would be left unused is refused: nobody shall believe in a protection that is not there."""
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
        """Addresses of the brokers, host:port, comma-separated."""
        return self.bootstrap_servers or DEFAULT_BOOTSTRAP


class ModelSettings(Section):
    """The model that answers, or the one that judges: its servers, and how they are asked."""

    model_urls: Urls = Field(
        default=("http://localhost:8000/v1",),
        min_length=1,
        validation_alias=_named("model_urls"),
        description="Base URL of the model server, or several, comma-separated.",
    )
    api_key: SecretStr = Field(
        default=SecretStr("dummy-key"), validation_alias=_named("api_key"), description="Key of the model server."
    )
    model_ca_file: UserPath | None = Field(
        default=None,
        description="PEM file of the authorities that sign the model server's certificate, if not the system's.",
    )
    model_name: str = Field(default="qwen-vllm", min_length=1, description="Name under which the server has the model.")
    temperature: float = Field(default=0.7, ge=0, le=2, description="Sampling temperature.")
    max_tokens: int = Field(default=2048, ge=1, le=1_000_000, description="Most tokens of one answer.")
    reasoning_max_tokens: int = Field(
        default=0, ge=0, le=1_000_000, description="Tokens a reasoning model may think with, besides max_tokens."
    )
    timeout_s: float = Field(
        default=600.0, gt=0, le=86_400, description="Most seconds for one answer, waiting included."
    )

    share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Below 1: use this part of the model server's capacity, and let the requests of others go first.",
    )
    priority: int | None = Field(
        default=None,
        description="Sent with each request, for vLLM with --scheduling-policy priority; higher waits longer.",
    )

    @field_validator("model_urls")
    @classmethod
    def _check_model_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return _check_urls(urls)


class JudgeSettings(Section):
    """Another model that judges the answers."""

    judge_urls: Urls = Field(
        default=(),
        description="Base URL, or several, comma-separated, of the model that judges answers, where the recipe has a "
        "[judge]. Default: the model that gives them.",
    )
    judge_model_name: str = Field(
        default="", description="Name of the model that judges, at judge_urls, or beside the other at model_urls."
    )
    judge_api_key: SecretStr = Field(default=SecretStr("dummy-key"), description="Key of the servers at judge_urls.")

    @field_validator("judge_urls")
    @classmethod
    def _check_judge_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return _check_urls(urls)

    def in_place_of(self, model: ModelSettings) -> ModelSettings | None:
        """`model` with the name and servers of the judge; None where no judge of its own is set."""
        if not self.judge_urls and not self.judge_model_name:
            return None
        server = {"model_urls": self.judge_urls, "api_key": self.judge_api_key} if self.judge_urls else {}
        return model.replaced(**server, model_name=self.judge_model_name or model.model_name)


class WorkerSettings(Section):
    """A worker: its calls in flight, its recipe, its cache."""

    concurrency: int = Field(
        default=64, ge=1, le=4096, description="Most calls in flight in one worker, for each model server."
    )
    recipe: str = Field(default="fast", min_length=1, description="Name of a recipe in configs/recipes, or a file.")
    cache: bool = Field(default=True, description="Answer repeated calls from the generation cache.")
    cache_path: UserPath | None = Field(
        default=None,
        description="The generation cache. Default: the user's cache directory; in the output for pipeline.",
    )
    cache_bytes: int = Field(
        default=10 * 1024**3, ge=1024**2, description="Over this size the oldest tenth of the cache is dropped."
    )
    cache_url: SecretStr | None = Field(
        default=None, description="redis://host:6379/0: a cache shared by workers on several hosts, instead of a file."
    )
    flush_ms: int = Field(default=200, ge=1, le=60_000, description="Finished outcomes wait this long for company.")
    drain_s: float = Field(default=5.0, ge=0, le=600, description="Most seconds a stopping worker waits for its calls.")
    session_timeout_ms: int = Field(
        default=10_000, ge=1_000, le=600_000, description="A worker silent for this long loses its partitions."
    )

    @field_validator("cache_url")
    @classmethod
    def _check_cache_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and urlsplit(url.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("takes redis://, rediss:// or unix://; a file is named by cache_path")
        return url


class ProducerSettings(Section):
    """The watched directory, and how its files become chunks."""

    input_dir: UserPath | None = Field(default=None, description="The watched directory.")
    source: str = Field(
        default="",
        max_length=200,
        description="Name of the watched directory in document ids. Default: its last part. Names one producer.",
    )
    chunk_size: int = Field(default=2000, ge=50, le=200_000, description="Most characters of a chunk.")
    chunk_overlap: int = Field(
        default=0, ge=0, le=100_000, description="Characters, or tokens, repeated from the chunk before."
    )
    chunk_tokens: int = Field(
        default=0,
        ge=0,
        le=100_000,
        description="Most tokens of a chunk, counted by --tokenizer, in place of --chunk-size; 0: characters count.",
    )
    tokenizer: str = Field(
        default="",
        description="A tokenizer.json, a model's directory with one, or a model's name on the Hugging Face hub.",
    )
    encoding: str | None = Field(default=None, description="Read every file in this encoding instead of detecting it.")
    settle_ms: int = Field(default=500, ge=0, le=3_600_000, description="A file unchanged for this long is taken.")
    scan_interval_s: float = Field(default=5.0, gt=0, le=86_400, description="Seconds between full scans.")
    max_file_bytes: int = Field(default=2 * 1024**3, ge=1, description="Larger files are rejected, with a dead letter.")

    include: Names = Field(
        default=(),
        description="Globs, comma-separated: only these files are read, by name, or by path where there is a /.",
    )
    exclude: Names = Field(
        default=(),
        description="Globs, comma-separated: these files are left alone; `drafts/*`: a folder that is not looked into.",
    )

    max_backlog: int = Field(
        default=0, ge=0, description="Publishing pauses while more chunks than this have no outcome yet; 0: never."
    )
    on_done: Literal["keep", "move", "delete"] = Field(
        default="keep",
        description="What happens to a file once all outcomes of it are on disk in --output-dir, which the producer "
        "must see for move and delete.",
    )
    done_dir: UserPath | None = Field(default=None, description="Where --on-done move puts files.")

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
    """The output directory, and what is written there."""

    output_dir: UserPath | None = Field(default=None, description="Where results go.")
    only_partitions: str = Field(
        default="all",
        description="Partitions of the results that this sink writes, such as 0-5,7; others may write the others, also "
        "into the same directory.",
    )
    segment_ms: int = Field(default=300, ge=1, le=600_000, description="A segment is closed at this age.")
    segment_bytes: int = Field(default=64 * 1024**2, ge=1024, description="A segment is closed at this size.")
    formats: Annotated[tuple[Literal["documents", "parquet"], ...], NoDecode] = Field(
        default=("documents",),
        description="What is derived from the segments, comma-separated: documents (a JSON file for each), parquet "
        "(the same, one row a pair); or none.",
    )

    @field_validator("only_partitions")
    @classmethod
    def _check_partitions(cls, text: str) -> str:
        return show_partitions(parse_partitions(text))

    @field_validator("formats", mode="before")
    @classmethod
    def _split_formats(cls, value: object) -> object:
        names = tuple(f.strip() for f in value.split(",") if f.strip()) if isinstance(value, str) else value
        return () if names == ("none",) else names


class ServerSettings(Section):
    """The model server on this machine."""

    vllm_python: str | None = Field(default=None, description="Interpreter that has vLLM, if not this one.")


class TelemetrySettings(Section):
    """Logs, metrics, health and traces."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_format: Literal["auto", "human", "json"] = Field(
        default="auto", description="auto: human on a terminal, JSON elsewhere."
    )

    metrics_port: int = Field(
        default=0, ge=0, le=65_535, description="Port of /metrics, /livez and /readyz, one a process; 0: none."
    )
    metrics_host: str = Field(
        default="127.0.0.1", min_length=1, description="Address they are served on; 0.0.0.0: to other machines as well."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        description="Base URL of an OpenTelemetry collector that takes OTLP over HTTP, say http://localhost:4318.",
    )

    @field_validator("otlp_endpoint")
    @classmethod
    def _check_otlp_endpoint(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError("takes an http(s) URL such as http://localhost:4318")
        return url
