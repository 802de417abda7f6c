"""Prometheus' own tool (Debian: apt install prometheus)."""

import shutil


def obstacle() -> str | None:
    return None if shutil.which("promtool") else "promtool is not installed (Debian: apt install prometheus)"
