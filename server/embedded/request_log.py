"""A file with one line for each accepted request: a count of requests that survives kill -9."""

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from configs.errors import SettingsError


class RequestLog:
    """Appends {"at": UTC time, "key": SHA-256 of the request body in canonical JSON}, one write(2) a line."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as exc:
            raise SettingsError(f"--request-log {path}: {exc.strerror}. Give a file that you may write to") from exc

    def accepted(self, body: Any) -> None:
        line = json.dumps({"at": datetime.now(UTC).isoformat(), "key": request_key(body)})
        os.write(self._descriptor, f"{line}\n".encode())


def request_key(body: Any) -> str:
    """SHA-256 of a request body, the same for bodies that differ only in the way their JSON is written."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()
