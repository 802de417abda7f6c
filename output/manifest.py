"""Writes and reads `.qastream/manifest.json`, which names the Kafka cluster and namespace of the results."""

from datetime import datetime
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from output.durable import write_whole
from output.errors import OutputError, OutputMismatchError
from output.lock import exclusively
from schemas.messages import now


class Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    schema_: Literal["qastream.output/1"] = Field(default="qastream.output/1", alias="schema")
    cluster_id: str
    namespace: str
    first_source: str = ""
    """The source whose documents are in documents/ itself; see output/names.py."""
    partitions: int = 0
    """The number of partitions of qa.results, or 0 until a sink of some of them has written here."""
    created_at: datetime


def read_manifest(path: Path) -> Manifest | None:
    """Returns the manifest; None where no sink has written yet. Raises OutputError for an unreadable file."""
    try:
        return Manifest.model_validate(orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise OutputError(f"{path}: {exc.strerror}") from exc
    except (orjson.JSONDecodeError, ValidationError) as exc:
        raise OutputError(
            f"{path} is not readable as a manifest ({type(exc).__name__}). If you know that the directory belongs to "
            "this cluster, remove the file: it is written anew"
        ) from exc


def write_manifest(path: Path, manifest: Manifest) -> None:
    data = orjson.dumps(manifest.model_dump(mode="json", by_alias=True), option=orjson.OPT_INDENT_2)
    write_whole(path, data + b"\n")


def claim(path: Path, *, cluster_id: str, namespace: str, partitions: int = 0) -> Manifest:
    """Returns the manifest, and writes it for a new output directory.

    A sink of some partitions gives the number of all `partitions` of qa.results. Raises OutputMismatchError, and
    OutputError where that number has changed.
    """
    with exclusively(_lock_of(path)):
        found = read_manifest(path)
        manifest = found or Manifest(cluster_id=cluster_id, namespace=namespace, created_at=now())
        check_owner(path, manifest, cluster_id=cluster_id, namespace=namespace)
        if partitions and not manifest.partitions:
            manifest = manifest.model_copy(update={"partitions": partitions})
        if manifest != found:
            write_manifest(path, manifest)
    if partitions not in (0, manifest.partitions):
        raise OutputError(
            f"the results topic had {manifest.partitions} partitions when {path.parent.parent} was begun, and has "
            f"{partitions} now: results of one document may lie in two of them. Start one sink, without "
            "--only-partitions"
        )
    return manifest


def name_first_source(path: Path, manifest: Manifest, source: str) -> Manifest:
    """Returns the manifest with a first source: `source`, unless another sink has named one meanwhile."""
    with exclusively(_lock_of(path)):
        found = read_manifest(path) or manifest
        if not found.first_source:
            found = found.model_copy(update={"first_source": source})
            write_manifest(path, found)
    return found


def _lock_of(path: Path) -> Path:
    return path.with_name("manifest.lock")


def check_owner(path: Path, manifest: Manifest, *, cluster_id: str, namespace: str) -> None:
    """Raises OutputMismatchError for another cluster or namespace, where the offsets in file names mean nothing."""
    owners = ("Kafka cluster", manifest.cluster_id, cluster_id), ("namespace", manifest.namespace, namespace)
    for what, theirs, ours in owners:
        if theirs != ours:
            raise OutputMismatchError(
                f"{path.parent.parent} holds results of {what} {theirs}, not of {ours}: offsets in its file names mean "
                "other records there. Give another --output-dir, or the broker and namespace that it was made with"
            )
