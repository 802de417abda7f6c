"""The publication of one file: from its ledger entry to the chunks and the entry that it needs now."""

import base64
import errno
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import BinaryIO

from ledger import transitions
from ledger.needs import FileNeed, Rules, need_of, outline_of
from producer.errors import ChangedError, RejectedError
from producer.files.source import Found, Source
from producer.text.marks import ChunkMarks
from producer.text.reading import Reading
from producer.text.splitting import Sizes, Split
from schemas import Chunk, DeadLetter, Document, LedgerEntry, Original
from schemas.ids import chunk_id, content_key, digest
from schemas.messages import MOST, now

LETTER_BYTES = 4096
"""Bytes of a rejected file's beginning that its dead letter holds."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a publication: a chunk, or an entry without one, or the dead letter of a file to be rejected.

    `after` is the entry once the step is committed, or makes it, because only a few chunks end a batch and need theirs.
    With a letter it is the entry that is to be rejected.
    """

    after: LedgerEntry | Callable[[], LedgerEntry]
    chunk: Chunk | None = None
    letter: DeadLetter | None = None

    @property
    def entry(self) -> LedgerEntry:
        return self.after() if callable(self.after) else self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Reads and cuts the files of one source.

    `stopping` is asked at each block, so that the end of the process does not wait for a file of gigabytes.
    """

    files: Source
    source: str
    rules: Rules
    sizes: Sizes
    encoding: str | None
    stopping: Callable[[], bool] = field(default=lambda: False)

    def steps(self, found: Found, entry: LedgerEntry | None, document_id: str) -> Iterator[Step]:
        """Yields what to publish of `found`, whose newest entry is `entry`. The last step has no chunk.

        Raises ChangedError, ReadingStoppedError and OSError: then chunks after the last committed entry are void.
        """
        need = need_of(outline_of(entry) if entry else None, found, self.rules)
        if entry and need is FileNeed.ABANDON:
            entry = transitions.abandon(entry, "the file or the settings changed before all of it was published")
            yield Step(entry)
            need = FileNeed.PUBLISH
        if need is FileNeed.NOTHING:
            return
        if found.size_bytes > self.rules.max_file_bytes:
            yield self._too_large(found, entry, document_id)
            return
        with self.files.open(found) as file:
            if entry and need is FileNeed.COMPARE and self._same(file, found, entry):
                yield Step(transitions.keep(entry, mtime_ns=found.mtime_ns))
                return
            base = entry if entry and need is FileNeed.RESUME else self._next_version(found, entry, document_id)
            yield from self._read(file, found, base)

    def _same(self, file: BinaryIO, found: Found, entry: LedgerEntry) -> bool:
        same = self._reading(file, found).finish() == entry.sha256
        file.seek(0)
        return same

    def _reading(self, file: BinaryIO, found: Found) -> Reading:
        return Reading(self.files, file, found, encoding=self.encoding, stopping=self.stopping)

    def _next_version(self, found: Found, entry: LedgerEntry | None, document_id: str) -> LedgerEntry:
        if entry and entry.document.version >= MOST:
            raise OSError(errno.EOVERFLOW, f"no record can hold a version after {MOST}, which its ledger entry has")
        return transitions.begin(
            entry, document=Document(id=document_id, source=self.source, path=found.path, version=1),
            size_bytes=found.size_bytes, mtime_ns=found.mtime_ns, splitter=self.rules.splitter,
        )  # fmt: skip

    def _read(self, file: BinaryIO, found: Found, base: LedgerEntry) -> Iterator[Step]:
        reading = self._reading(file, found)
        document, step = base.document, Step(base)
        try:
            splits = reading.splits(self.sizes, self._marks_before(base))
            _skip(splits, base)
            for index, split in enumerate(splits, base.chunks):
                if split.title != document.title:
                    document = document.model_copy(update={"title": split.title})
                chunk = _chunk(base, document, index, split)
                step = Step(_advanced(base, chunk, reading), chunk)
                yield step
        except RejectedError as exc:
            yield _rejected(step.entry, exc, file, reading.finish())
        else:
            yield Step(_complete(step.entry, reading))

    def _marks_before(self, base: LedgerEntry) -> ChunkMarks:
        """Returns the marks of the newest complete version's chunks; none where other settings cut them."""
        complete = base.complete
        return ChunkMarks(complete.marks if complete and complete.splitter == base.splitter else "")

    def _too_large(self, found: Found, entry: LedgerEntry | None, document_id: str) -> Step:
        base = self._next_version(found, entry, document_id)
        limit = self.rules.max_file_bytes
        reason = RejectedError("too_large", f"{found.size_bytes} bytes, over the limit of {limit} (--max-file-bytes)")
        with self.files.open(found) as file:
            return _rejected(base, reason, file, None)


def _skip(splits: Iterator[Split], base: LedgerEntry) -> None:
    """Passes over the chunks published before a restart. Reading them again checks that the file still has them."""
    last = deque(islice(splits, base.chunks), maxlen=1)
    if base.chunks and (not last or last[0].end != base.next_char):
        raise ChangedError("the part that was published is not in the file any more")


def _chunk(base: LedgerEntry, document: Document, index: int, split: Split) -> Chunk:
    return Chunk(
        chunk_id=chunk_id(document.id, document.version, index), content_key=content_key(split.text, split.headings),
        document=document, generation=base.generation, sample=base.sample, index=index,
        start=split.start, end=split.end, headings=split.headings, text=split.text,
    )  # fmt: skip


def _advanced(base: LedgerEntry, chunk: Chunk, reading: Reading) -> Callable[[], LedgerEntry]:
    """Makes the entry once `chunk` is published, from how far the reading is now."""
    return partial(
        transitions.advance, base, document=chunk.document, encoding=reading.encoding,
        next_byte=reading.size_bytes, next_char=chunk.end, chunks=chunk.index + 1,
    )  # fmt: skip


def _complete(entry: LedgerEntry, reading: Reading) -> LedgerEntry:
    return transitions.complete(
        entry, sha256=reading.sha256, marks=reading.marks.pack(), encoding=reading.encoding,
        size_bytes=reading.size_bytes, characters=reading.characters,
    )  # fmt: skip


def _rejected(entry: LedgerEntry, why: RejectedError, file: BinaryIO, sha256: str | None) -> Step:
    file.seek(0)
    beginning, size_bytes, document = file.read(LETTER_BYTES), entry.size_bytes, entry.document
    encoded, truncated = base64.b64encode(beginning).decode(), len(beginning) < size_bytes
    letter = DeadLetter(
        letter_id=digest("letter", document.id, document.version), kind="file", reason=str(why), error_class=why.kind,
        document=document, generation=entry.generation, created_at=now(),
        original=Original(base64=encoded, size_bytes=size_bytes, sha256=sha256, truncated=truncated),
    )  # fmt: skip
    return Step(entry, letter=letter)
