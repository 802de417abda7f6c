"""One file's way: from what the ledger knows of it to the chunks and the entry that it needs now."""

import base64
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from producer.errors import ChangedError, RejectedError
from producer.files.source import Found, Source, SourceFile
from producer.publishing.ledger import Action, Rules, abandoned, action, touched
from producer.text.marks import Marks
from producer.text.reading import Reading
from producer.text.splitting import Sizes, Split
from schemas import Chunk, CompleteVersion, DeadLetter, Document, FileState, LedgerEntry, Original
from schemas.ids import chunk_id, content_key, digest
from schemas.messages import now

LETTER_BYTES = 4096
"""As much of a rejected file's beginning goes into its letter."""


class Progress(NamedTuple):
    """How far a file is with a chunk of it; of most chunks nobody asks for the entry that says so."""

    base: LedgerEntry
    chunk: Chunk
    next_byte: int
    encoding: str

    def entry(self) -> LedgerEntry:
        return self.base.model_copy(
            update={
                "document": self.chunk.document,
                "encoding": self.encoding,
                "next_byte": self.next_byte,
                "next_char": self.chunk.end,
                "chunks": self.chunk.index + 1,
            }
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A chunk, and what is so `after` it is published; or the end of the file's way, without one."""

    after: LedgerEntry | Progress
    chunk: Chunk | None = None
    letter: DeadLetter | None = None

    @property
    def entry(self) -> LedgerEntry:
        return self.after.entry() if isinstance(self.after, Progress) else self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """How files of one source are read.

    `stopping` is asked at each block: a file of gigabytes must not keep a process that should end, or somebody waiting.
    """

    files: Source
    source: str
    rules: Rules
    sizes: Sizes
    encoding: str | None
    stopping: Callable[[], bool] = field(default=lambda: False)

    def steps(self, found: Found, entry: LedgerEntry | None, document_id: str) -> Iterator[Step]:
        """What to publish of `found`, whose newest entry is `entry`; the last step has no chunk.

        Raises ChangedError, StoppedError and OSError; chunks since the last entry that was committed are then void.
        """
        needed = action(entry, found, self.rules)
        if entry and needed is Action.ABANDON:
            entry = abandoned(entry, "the file or the splitter's settings changed before all of it was published")
            yield Step(entry)
            needed = Action.PUBLISH
        if needed is Action.NOTHING:
            return
        if found.size_bytes > self.rules.max_file_bytes:
            yield self._too_large(found, entry, document_id)
            return
        with self.files.open(found) as file:
            if entry and needed is Action.COMPARE and self._same(file, found, entry):
                yield Step(touched(entry, found))
                return
            base = self._base(found, entry, document_id, resumed=needed is Action.RESUME)
            yield from self._read(file, found, base)

    def _same(self, file: SourceFile, found: Found, entry: LedgerEntry) -> bool:
        same = self._reading(file, found).finish() == entry.sha256
        file.rewind()
        return same

    def _reading(self, file: SourceFile, found: Found) -> Reading:
        return Reading(file, listed_bytes=found.size_bytes, encoding=self.encoding, stopping=self.stopping)

    def _base(self, found: Found, entry: LedgerEntry | None, document_id: str, *, resumed: bool) -> LedgerEntry:
        """The entry before the first step: as it was when publication goes on, else of the next version."""
        if entry and resumed:
            return entry
        version = entry.document.version + 1 if entry else 1
        return LedgerEntry(
            document=Document(id=document_id, source=self.source, path=found.path, version=version),
            state=FileState.PUBLISHING,
            size_bytes=found.size_bytes,
            mtime_ns=found.mtime_ns,
            splitter=self.rules.splitter,
            sample=entry.sample if entry else 0,
            complete=entry.complete if entry else None,
            updated_at=now(),
        )

    def _read(self, file: SourceFile, found: Found, base: LedgerEntry) -> Iterator[Step]:
        reading = self._reading(file, found)
        document, progress = base.document, None
        try:
            splits = reading.splits(self.sizes, self._before(base))
            _skip(splits, base)
            for index, split in enumerate(splits, base.chunks):
                if split.title != document.title:
                    document = document.model_copy(update={"title": split.title})
                chunk = _chunk(base, document, index, split)
                progress = Progress(base, chunk, reading.size_bytes, reading.encoding)
                yield Step(progress, chunk)
        except RejectedError as exc:
            sha256 = reading.finish()
            yield _rejected(progress.entry() if progress else base, exc, file.beginning(LETTER_BYTES), sha256)
        else:
            yield Step(_complete(progress.entry() if progress else base, reading))

    def _before(self, base: LedgerEntry) -> Marks:
        """Chunks of the newest complete version; other settings made others."""
        complete = base.complete
        return Marks(complete.marks if complete and complete.splitter == base.splitter else "")

    def _too_large(self, found: Found, entry: LedgerEntry | None, document_id: str) -> Step:
        base = self._base(found, entry, document_id, resumed=False)
        limit = self.rules.max_file_bytes
        reason = RejectedError("too_large", f"{found.size_bytes} bytes, over the limit of {limit} (--max-file-bytes)")
        with self.files.open(found) as file:
            return _rejected(base, reason, file.beginning(LETTER_BYTES), None)


def _skip(splits: Iterator[Split], base: LedgerEntry) -> None:
    """Pass over what was published before a restart. To read it again is the check that it is still there."""
    last = deque(islice(splits, base.chunks), maxlen=1)
    if base.chunks and (not last or last[0].end != base.next_char):
        raise ChangedError("what was published of it is not in it any more")


def _chunk(base: LedgerEntry, document: Document, index: int, split: Split) -> Chunk:
    return Chunk(
        chunk_id=chunk_id(document.id, document.version, index),
        document=document,
        generation=base.generation,
        sample=base.sample,
        index=index,
        start=split.start,
        end=split.end,
        headings=split.headings,
        text=split.text,
        content_key=content_key(split.text, split.headings),
    )


def _complete(entry: LedgerEntry, reading: Reading) -> LedgerEntry:
    sha256 = reading.sha256
    complete = CompleteVersion(
        version=entry.document.version,
        generation=entry.generation,
        chunks=entry.chunks,
        characters=reading.characters,
        size_bytes=entry.size_bytes,
        sha256=sha256,
        splitter=entry.splitter,
        encoding=reading.encoding,
        marks=reading.marks.pack(),
    )
    return entry.model_copy(
        update={
            "state": FileState.COMPLETE,
            "sha256": sha256,
            "encoding": reading.encoding,
            "next_byte": reading.size_bytes,
            "next_char": reading.characters,
            "complete": complete,
            "updated_at": now(),
        }
    )


def _rejected(entry: LedgerEntry, why: RejectedError, beginning: bytes, sha256: str | None) -> Step:
    document = entry.document
    letter = DeadLetter(
        letter_id=digest("letter", document.id, document.version),
        kind="file",
        reason=str(why),
        error_class=why.kind,
        document=document,
        generation=entry.generation,
        original=Original(
            base64=base64.b64encode(beginning).decode(),
            size_bytes=entry.size_bytes,
            sha256=sha256,
            truncated=len(beginning) < entry.size_bytes,
        ),
        created_at=now(),
    )
    changes = {"state": FileState.REJECTED, "sha256": sha256, "reason": str(why), "updated_at": now()}
    return Step(entry.model_copy(update=changes), letter=letter)
