"""Steps of many files to batches, each of which is one transaction on Kafka."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger import transitions
from ledger.entries import Ledger
from producer.errors import ChangedError, FileError, StoppedError
from producer.files.source import Found
from producer.publishing.publication import Publication
from schemas import Chunk, DeadLetter, FileState, LedgerEntry, TopicNames, encode
from schemas.ids import digest
from telemetry.tracing import Header

MAX_CHUNKS = 500
MAX_BYTES = 4 * 1024 * 1024
MAX_SECONDS = 0.2


class OutgoingRecord(NamedTuple):
    """`trace` is the id of the trace that it belongs to, if any."""

    topic: str
    key: bytes
    value: bytes | None
    trace: str = ""


@dataclass(slots=True)
class Batch:
    """What is committed together. `entries` are the newest of their documents; the others say why, by path.

    `headers` are those of records by their trace.
    """

    records: list[OutgoingRecord] = field(default_factory=list)
    entries: dict[str, tuple[LedgerEntry, bytes]] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    headers: dict[str, list[Header]] = field(default_factory=dict)
    chunks: int = 0
    size_bytes: int = 0


class _Mark(NamedTuple):
    """How far a batch was: what came since can be dropped."""

    records: int
    chunks: int
    size_bytes: int


class Batches:
    """Builds batches of all steps of `files`; iterate once.

    A batch ends at 500 chunks, 4 MB or 200 ms, in the middle of a file too: then the entry of that file says so. Where
    reading is to stop, the last batch has the files before it.
    """

    def __init__(
        self,
        publication: Publication,
        ledger: Ledger,
        names: TopicNames,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_chunks: int = MAX_CHUNKS,
    ) -> None:
        self._publication = publication
        self._ledger = ledger
        self._names = names
        self._clock = clock
        self._max_chunks = max_chunks
        self._begin()

    def of(self, files: Iterable[Found]) -> Generator[Batch, None, None]:
        with suppress(StoppedError):
            for found in files:
                yield from self._file(found)
                if self._full():
                    yield self._take()
        yield self._take()

    def _begin(self) -> None:
        self._batch = Batch()
        self._deadline = self._clock() + MAX_SECONDS

    def _take(self) -> Batch:
        taken = self._batch
        self._begin()
        return taken

    def _full(self) -> bool:
        batch = self._batch
        return batch.chunks >= self._max_chunks or batch.size_bytes >= MAX_BYTES or self._clock() > self._deadline

    def _file(self, found: Found) -> Iterator[Batch]:
        """Batches that are full before the file is done. Raises StoppedError."""
        committed = self._ledger.entry(found.path)
        mark = self._mark()
        try:
            for step in self._publication.steps(found, committed, self._ledger.document_id(found.path)):
                if step.chunk:
                    self._add_chunk(step.chunk)
                    if not self._full():
                        continue
                    committed = self._put(step.entry)
                    yield self._take()
                elif step.letter:
                    self._drop(mark)
                    self._record(self._names.dead_letters, step.entry.document.id, step.letter)
                    committed = self._put(transitions.reject(step.entry, step.letter, committed=committed))
                else:
                    committed = self._put(step.entry)
                mark = self._mark()
        except StoppedError:
            self._drop(mark)
            raise
        except FileError as exc:
            self._drop(mark)
            self._batch.changed[found.path] = str(exc)
            if committed and committed.state is FileState.PUBLISHING and isinstance(exc, ChangedError):
                self._put(transitions.abandon(committed, str(exc)))
        except OSError as exc:
            self._drop(mark)
            self._batch.unreadable[found.path] = exc.strerror or str(exc)

    def _add_chunk(self, chunk: Chunk) -> None:
        self._record(self._names.chunks, chunk.content_key, chunk, trace=_trace_of(chunk))
        self._batch.chunks += 1

    def _put(self, entry: LedgerEntry) -> LedgerEntry:
        value = self._record(self._names.files, entry.document.id, entry)
        self._batch.entries[entry.document.path] = (entry, value)
        return entry

    def _record(self, topic: str, key: str, message: Chunk | LedgerEntry | DeadLetter, *, trace: str = "") -> bytes:
        value = encode(message)
        self._batch.records.append(OutgoingRecord(topic, key.encode(), value, trace))
        self._batch.size_bytes += len(value)
        return value

    def _mark(self) -> _Mark:
        return _Mark(len(self._batch.records), self._batch.chunks, self._batch.size_bytes)

    def _drop(self, mark: _Mark) -> None:
        del self._batch.records[mark.records :]
        self._batch.chunks, self._batch.size_bytes = mark.chunks, mark.size_bytes


def _trace_of(chunk: Chunk) -> str:
    return digest("trace", chunk.document.id, chunk.document.version, chunk.generation)


def put_entry(batch: Batch, entry: LedgerEntry, names: TopicNames) -> None:
    value = encode(entry)
    batch.records.append(OutgoingRecord(names.files, entry.document.id.encode(), value))
    batch.entries[entry.document.path] = (entry, value)


def of_entries(entries: Iterable[LedgerEntry], names: TopicNames) -> Iterator[Batch]:
    """Batches of ledger entries alone."""
    batch = Batch()
    for entry in entries:
        put_entry(batch, entry, names)
        if len(batch.records) == MAX_CHUNKS:
            yield batch
            batch = Batch()
    if batch.records:
        yield batch
