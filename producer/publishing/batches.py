"""Collects the steps of many files in batches: each batch is one transaction on Kafka."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger import transitions
from ledger.entries import Ledger
from producer.errors import ChangedError, FileError, ReadingStoppedError
from producer.files.source import Found
from producer.publishing.publication import Publication
from schemas import Chunk, DeadLetter, FileState, LedgerEntry, TopicNames, encode
from schemas.ids import digest
from telemetry.tracing import Header

MAX_CHUNKS = 500
MAX_BYTES = 4 * 1024 * 1024
MAX_SECONDS = 0.2


class OutgoingRecord(NamedTuple):
    """A record to be sent. `trace` is the id of its trace, or empty."""

    topic: str
    key: bytes
    value: bytes | None
    trace: str = ""


@dataclass(slots=True)
class Batch:
    """The records of one transaction. `entries` are the newest of their documents, with their bytes, by path.

    `changed` and `unreadable` give the reason for each file without an entry. `headers` are those of records, by trace.
    """

    records: list[OutgoingRecord] = field(default_factory=list)
    entries: dict[str, tuple[LedgerEntry, bytes]] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    headers: dict[str, list[Header]] = field(default_factory=dict)
    chunks: int = 0
    size_bytes: int = 0

    def add(self, topic: str, key: str, message: Chunk | LedgerEntry | DeadLetter, *, trace: str = "") -> bytes:
        """Adds a record and returns its value."""
        value = encode(message)
        self.records.append(OutgoingRecord(topic, key.encode(), value, trace))
        self.size_bytes += len(value)
        return value

    def put(self, entry: LedgerEntry, names: TopicNames) -> LedgerEntry:
        """Adds the entry as the newest of its document, and returns it."""
        self.entries[entry.document.path] = (entry, self.add(names.files, entry.document.id, entry))
        return entry

    def mark(self) -> tuple[int, int, int]:
        """Returns the number of records, of chunks and of bytes, to which `drop` can go back."""
        return len(self.records), self.chunks, self.size_bytes

    def drop(self, mark: tuple[int, int, int]) -> None:
        """Drops the records that came after a mark."""
        records, self.chunks, self.size_bytes = mark
        del self.records[records:]


class Batches:
    """Builds batches from the steps of many files.

    A batch ends at 500 chunks, 4 MB or 200 ms, in the middle of a file too: then the file's entry says how far it is.
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
        """Yields the batches of `files`. Where reading has to stop, the last batch has the files before it."""
        with suppress(ReadingStoppedError):
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
        """Adds the steps of a file, and yields each batch that they fill. Raises ReadingStoppedError."""
        committed = self._ledger.entry(found.path)
        mark = self._batch.mark()
        try:
            for step in self._publication.steps(found, committed, self._ledger.document_id(found.path)):
                if step.chunk:
                    trace = digest("trace", step.chunk.document.id, step.chunk.document.version, step.chunk.generation)
                    self._batch.add(self._names.chunks, step.chunk.content_key, step.chunk, trace=trace)
                    self._batch.chunks += 1
                    if not self._full():
                        continue
                    committed = self._batch.put(step.entry, self._names)
                    yield self._take()
                elif step.letter:
                    self._batch.drop(mark)
                    self._batch.add(self._names.dead_letters, step.entry.document.id, step.letter)
                    rejected = transitions.reject(step.entry, step.letter, committed=committed)
                    committed = self._batch.put(rejected, self._names)
                else:
                    committed = self._batch.put(step.entry, self._names)
                mark = self._batch.mark()
        except ReadingStoppedError:
            self._batch.drop(mark)
            raise
        except FileError as exc:
            self._batch.drop(mark)
            self._batch.changed[found.path] = str(exc)
            if committed and committed.state is FileState.PUBLISHING and isinstance(exc, ChangedError):
                self._batch.put(transitions.abandon(committed, str(exc)), self._names)
        except OSError as exc:
            self._batch.drop(mark)
            self._batch.unreadable[found.path] = exc.strerror or str(exc)


def of_entries(entries: Iterable[LedgerEntry], names: TopicNames) -> Iterator[Batch]:
    """Yields batches of ledger entries alone."""
    batch = Batch()
    for entry in entries:
        batch.put(entry, names)
        if len(batch.records) == MAX_CHUNKS:
            yield batch
            batch = Batch()
    if batch.records:
        yield batch
