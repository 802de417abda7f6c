"""Logs on stderr, for people on a terminal and as JSON lines elsewhere. No level logs document texts or secrets."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from configs.errors import QAStreamError
from configs.sections import TelemetrySettings

REPEAT_S = 10.0
"""Least time between two equal messages of a library."""
MOST_KINDS = 1000
NOISY = ("aiohttp", "aiokafka", "asyncio", "httpx", "httpx2", "openai", "opentelemetry", "urllib3", "watchfiles")
"""Libraries that log only warnings. Some of them would log the texts that they send at lower levels."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def configure_logs(settings: TelemetrySettings, *, process: str, stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (default: stderr). Values given as `extra=` become fields."""
    stream = stream or sys.stderr
    human = settings.log_format == "human" or (settings.log_format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Human(process) if human else _Json(process))
    handler.addFilter(_Rarely())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))


class _Rarely(logging.Filter):
    """Counts messages that a library repeats within REPEAT_S. The next one that is written says how many they were."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(NOISY):
            return True
        kind = record.name, str(record.msg)
        passed, repeated = self._passed.get(kind, (-REPEAT_S, 0))
        if record.created - passed < REPEAT_S:
            self._passed[kind] = passed, repeated + 1
            return False
        if repeated:
            record.repeated = repeated
        if len(self._passed) >= MOST_KINDS:
            self._passed.clear()
        self._passed[kind] = record.created, 0
        return True


class _Human(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)-7s {process}: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Write message and fields on one line; a traceback follows on its own lines."""
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        return _escaped(f"{super().formatMessage(record)} {fields}".rstrip())

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(map(_escaped, _traceback(ei[1]).splitlines()))


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
            line["exception"] = _traceback(record.exc_info[1])
        try:
            return _harmless(orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode())
        except TypeError:  # half a surrogate pair, from a file name that is not UTF-8
            escaped = {name: _escaped(str(value)) for name, value in line.items()}
            return orjson.dumps(escaped, option=orjson.OPT_NON_STR_KEYS).decode()


def _traceback(exc: BaseException | None) -> str:
    """Format a traceback with messages of our and the system's errors only; others may quote a text or a secret."""
    if exc is None:
        return ""
    shown = traceback.TracebackException.from_exception(exc)
    _without_messages(shown, exc)
    return "".join(shown.format()).rstrip()


def _without_messages(shown: traceback.TracebackException, exc: BaseException) -> None:
    if not isinstance(exc, QAStreamError | OSError):
        shown._str = "(message left out)"  # type: ignore[attr-defined] # noqa: SLF001 - there is no public way
    for part, cause in ((shown.__cause__, exc.__cause__), (shown.__context__, exc.__context__)):
        if part is not None and cause is not None:
            _without_messages(part, cause)
    if shown.exceptions and isinstance(exc, BaseExceptionGroup):
        for part, member in zip(shown.exceptions, exc.exceptions, strict=True):
            _without_messages(part, member)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _escaped(text: str) -> str:
    """Escape unprintable characters, so that a file name can neither control the terminal nor begin a new line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _harmless(line: str) -> str:
    """Write unprintable characters in JSON as its escapes, because they could control the terminal."""
    return line if line.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)
