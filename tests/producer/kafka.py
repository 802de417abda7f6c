"""What the producer tests do with a real broker: run the program, read what it published."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from configs.failpoints import ENVIRONMENT
from configs.settings import Settings
from messaging.reading import read_to_end
from messaging.topics import ensure_topics
from schemas import Chunk, DeadLetter, DecodeError, LedgerEntry, ReplayMarker, TopicNames, decode


@dataclass
class Published:
    """All that is committed, in the order of each partition; `newest` is the ledger by path."""

    chunks: list[Chunk] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)

    @property
    def newest(self) -> dict[str, LedgerEntry]:
        return {entry.document.path: entry for entry in self.entries}

    def text(self, path: str, version: int = 1) -> str:
        chunks = (chunk for chunk in self.chunks if (chunk.document.path, chunk.document.version) == (path, version))
        return "".join(chunk.text for chunk in sorted(chunks, key=lambda chunk: chunk.index))

    @property
    def ids(self) -> list[str]:
        return sorted(chunk.chunk_id for chunk in self.chunks)


async def published(settings: Settings) -> Published:
    names = TopicNames(settings.kafka.namespace)
    await ensure_topics(settings.kafka)
    found = Published()
    for topic, kind, into in (
        (names.chunks, Chunk, found.chunks),
        (names.files, LedgerEntry, found.entries),
        (names.dead_letters, DeadLetter, found.letters),
    ):
        async with aclosing(read_to_end(settings.kafka, topic, through_pending=True)) as records:
            async for record in records:
                if record.topic != names.dead_letters or not _is_marker(record.value):
                    into.append(decode(kind, record.value))
    return found


def _is_marker(value: bytes | None) -> bool:
    try:
        decode(ReplayMarker, value)
    except DecodeError:
        return False
    return True


def command(settings: Settings, root: Path, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "producer", "--input-dir", str(root), "--namespace", settings.kafka.namespace),
        *("--bootstrap-servers", settings.kafka.brokers, "--partitions", str(settings.kafka.partitions), *more),
    ]


def run_once(settings: Settings, root: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(settings, root, "--once", *more), capture_output=True, text=True, timeout=120, check=False
    )


@contextmanager
def watching(settings: Settings, root: Path, *more: str, failpoints: str = "") -> Iterator[subprocess.Popen[str]]:
    """The program as a process of its own; killed at the end if it still runs."""
    process = subprocess.Popen(
        command(settings, root, *more), stderr=subprocess.PIPE, text=True, env=os.environ | {ENVIRONMENT: failpoints}
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def write_all(root: Path, texts: dict[str, str | bytes]) -> None:
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)


def kinds(entries: Sequence[LedgerEntry]) -> list[str]:
    return [entry.state.value for entry in entries]
