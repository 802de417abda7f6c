"""Keeps the files of complete documents up to date with ledger and outcomes, in all chosen formats."""

import asyncio
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from ledger.promise import Promise, promise_of
from output import durable
from output.formats.derived import Derived
from output.formats.registry import readable_formats
from output.index.rows import Written
from output.index.tables import Index
from output.layout import Layout
from output.manifest import Manifest, name_first_source
from output.names import document_name, document_path
from output.segments.lookup import SegmentFiles
from schemas import Document, FileState, LedgerEntry

PIECES_PER_TURN = 100
"""Pieces between two turns of the event loop: results must reach the disk while a large file is written."""
COMPARED_BYTES = 1024 * 1024


class Documents:
    """Writes files for the newest complete version of each document, and removes the files of forgotten documents.

    Without formats it only tells the index which documents are complete.
    """

    def __init__(self, layout: Layout, index: Index, manifest: Manifest, *, formats: tuple[Derived, ...]) -> None:
        self._layout = layout
        self._index = index
        self._manifest = manifest
        self._formats = formats

    async def write_due(self) -> None:
        """Works until no document is due. Raises IndexDamagedError, OSError and sqlite3.OperationalError."""
        while due := self._index.documents.due():
            for document, mark in due:
                await self._bring_up_to_date(document, mark)
                await asyncio.sleep(0)

    def find_missing(self) -> None:
        """Makes documents due whose files somebody removed, or the last sink did not write in all formats."""
        missing = (written for written in self._index.documents.all_written() if not self._are_there(written))
        self._index.documents.make_due([written.promise.document.id for written in missing])

    async def _bring_up_to_date(self, document: str, mark: int) -> None:
        entry = self._index.ledger.entry(document)
        if entry is not None and self._is_forgotten(entry):
            self._remove(entry.document)
            self._index.documents.settle_removed(document, mark)
            return
        promise = self._newest_complete(document, promise_of(entry) if entry else None)
        if promise is None or self._is_current(promise):
            self._index.documents.settle(document, mark)
            return
        name = self._name(promise.document) if self._formats else None
        # Before the files are written: an outcome that comes meanwhile may not be in them.
        described = self._index.outcomes.describe(promise, name, (derived.name for derived in self._formats))
        await self._write(promise)
        self._index.documents.settle_written(described, mark)

    def _is_forgotten(self, entry: LedgerEntry) -> bool:
        """Tells whether `forget` has ended the promise of this document.

        Compaction may have removed the entry of `forget` itself. Then the newest entry promises nothing although an
        earlier version was written. An entry of the written version is no sign: a sink that reads the ledger from its
        beginning sees such an entry before the version is complete.
        """
        if entry.state is FileState.FORGOTTEN:
            return True
        if promise_of(entry) is not None:
            return False
        written = self._index.documents.written(entry.document.id)
        before = written.promise if written else self._on_disk(entry.document)
        return before is not None and before.document.version < entry.document.version

    def _newest_complete(self, document: str, promised: Promise | None) -> Promise | None:
        """Returns the promised version if it is complete; else the version that was complete before."""
        written = self._index.documents.written(document)
        before = written.promise if written else promised and self._on_disk(promised.document)
        if promised and before and before.age == promised.age:
            # The ledger may not tell the encoding of an earlier version.
            known = promised.encoding or before.encoding
            promised, before = promised.model_copy(update={"encoding": known}), None
        candidates = sorted(filter(None, (promised, before)), key=lambda promise: promise.age, reverse=True)
        return next(filter(self._is_complete, candidates), None)

    def _is_complete(self, promise: Promise) -> bool:
        return promise.is_kept(self._index.outcomes.answers(promise).chunks)

    def _on_disk(self, document: Document) -> Promise | None:
        """Returns the newest promise that a file of the document was made of: the index may be newer than the file."""
        name = self._name(document)
        found = (derived.promise_in(document_path(self._layout, derived, name)) for derived in self._formats)
        ours = [each for each in found if each and each.document.id == document.id]
        return max(ours, key=lambda each: each.age, default=None)

    def _are_there(self, written: Written) -> bool:
        """Tells whether each format has a file of the promise that was written last."""
        return all(
            written.name
            and derived.name in written.formats
            and document_path(self._layout, derived, written.name).exists()
            for derived in self._formats
        )

    def _is_current(self, promise: Promise) -> bool:
        written = self._index.documents.written(promise.document.id)
        return (
            written is not None
            and _facts(written.promise) == _facts(promise)
            and written.replaced == self._index.outcomes.answers(promise).replaced
            and self._are_there(written)
        )

    async def _write(self, promise: Promise) -> None:
        name = self._name(promise.document)
        for derived in self._formats:
            await self._write_one(promise, derived, document_path(self._layout, derived, name))

    async def _write_one(self, promise: Promise, derived: Derived, path: Path) -> None:
        """Writes a file, unless the present file has the same bytes."""
        with SegmentFiles(self._layout.results) as segments, durable.TempFile(self._layout.temp / "document") as file:
            for count, piece in enumerate(derived.render(promise, self._index, segments), start=1):
                file.write(piece)
                if count % PIECES_PER_TURN == 0:
                    await asyncio.sleep(0)
            file.flush()
            if not _same_bytes(file.path, path):
                file.publish(path, make_folders=True)

    def _remove(self, document: Document) -> None:
        """Removes the document's files in all formats, also in formats that only an earlier sink wrote."""
        name = self._name(document)
        for derived in readable_formats():
            path = document_path(self._layout, derived, name)
            found = derived.promise_in(path)
            if found is not None and found.document.id == document.id:
                durable.remove(path)
                _remove_empty(path, self._layout.root / derived.folder)

    def _name(self, document: Document) -> str:
        if not self._manifest.first_source:
            self._manifest = name_first_source(self._layout.manifest, self._manifest, document.source)
        return str(document_name(document, first_source=self._manifest.first_source))


def _remove_empty(path: Path, folder: Path) -> None:
    """Removes the empty folders between `path` and `folder`."""
    with suppress(OSError):  # a folder that is not empty stays, and so do those above it
        for above in path.relative_to(folder).parents[:-1]:
            (folder / above).rmdir()


def _facts(promise: Promise) -> tuple[object, ...]:
    return promise.age, promise.chunks, promise.sha256, promise.encoding


def _same_bytes(one: Path, other: Path) -> bool:
    with suppress(FileNotFoundError), one.open("rb") as a, other.open("rb") as b:
        if os.fstat(a.fileno()).st_size == os.fstat(b.fileno()).st_size:
            return all(block == b.read(COMPARED_BYTES) for block in iter(partial(a.read, COMPARED_BYTES), b""))
    return False
