"""Logs on stderr: for people on a terminal, JSON lines elsewhere. No document text, no secrets, at any level."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from configs.settings import Settings

REPEAT_S = 10.0
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def configure_logs(settings: Settings, *, process: str, stream: TextIO | None = None) -> None:
    """Send the root logger to `stream`, stderr by default; values given as `extra=` become fields."""
    stream = stream or sys.stderr
    human = settings.log_format == "human" or (settings.log_format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Human(process) if human else _Json(process))
    handler.addFilter(_Rarely())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for noisy in ("aiokafka", "httpx", "httpx2", "openai", "watchfiles", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))


class _Rarely(logging.Filter):
    """The Kafka client complains ten times a second while a broker is away: one of each kind in a while is enough."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("aiokafka"):
            return True
        kind = record.name, str(record.msg)
        if record.created - self._passed.get(kind, -REPEAT_S) < REPEAT_S:
            return False
        self._passed[kind] = record.created
        return True


class _Human(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)-7s {process}: %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        return _escaped(f"{super().format(record)} {fields}".rstrip())


class _Json(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _escaped(text: str) -> str:
    """A file name must not be able to drive the terminal. Tracebacks keep their line ends."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
