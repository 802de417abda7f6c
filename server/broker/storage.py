"""Formats Kafka's log directory.

`kafka.tools.StorageTool format` takes as long as a JVM start. It writes a cluster id, a directory id and a checkpoint
with the feature levels of this Kafka version. The checkpoint has no ids in it. So the tool runs once per user and
version, and other directories get a copy of its checkpoint and ids of their own.
"""

import base64
import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from server.broker.kafka_config import NODE_ID

META = "meta.properties"
CHECKPOINT = "bootstrap.checkpoint"


def format_storage(log_dir: Path, *, template: Path, run_tool: Callable[[Path, str], None]) -> None:
    """Format `log_dir` unless it is formatted. `run_tool(dir, cluster_id)` runs StorageTool for the template."""
    if (log_dir / META).exists():
        return
    if not template.exists():
        _make_template(template, run_tool)
    log_dir.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template, log_dir / CHECKPOINT)
    staged = log_dir / f".{META}"
    ids = f"cluster.id={random_uuid()}\ndirectory.id={random_uuid()}\n"
    staged.write_text(f"version=1\nnode.id={NODE_ID}\n{ids}", encoding="ascii")
    staged.replace(log_dir / META)  # last: with it the directory counts as formatted


def _make_template(template: Path, run_tool: Callable[[Path, str], None]) -> None:
    template.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=template.parent, prefix=".format-") as work:
        run_tool(Path(work), random_uuid())
        Path(work, CHECKPOINT).replace(template)


def random_uuid() -> str:
    """An id as org.apache.kafka.common.Uuid writes it, never with a leading "-", which looks like an option."""
    while (text := base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")).startswith("-"):
        pass
    return text
