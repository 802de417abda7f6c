"""Keeps documents/ and parquet/ as ledger and outcomes say: files of each document's newest complete version."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from ledger.promise import Promise, promise_of
from output import durable
from output.formats.registry import Derived, readable
from output.index.rows import Written
from output.index.tables import Index
from output.layout import Layout
from output.manifest import Manifest, name_first_source
from output.names import document_name
from output.segments.lookup import SegmentFiles
from schemas import Document, FileState, LedgerEntry

PIECES_PER_TURN = 100
"""Then the loop gets its turn: results must reach the disk while a large document is put together."""
COMPARED_BYTES = 1024 * 1024


class Documents:
    """`write_due` brings files of the `formats` up to date; without any, it keeps account of complete documents."""

    def __init__(self, layout: Layout, index: Index, manifest: Manifest, *, formats: tuple[Derived, ...]) -> None:
        self._layout = layout
        self._index = index
        self._manifest = manifest
        self._formats = formats

    async def write_due(self) -> None:
        """Until nothing is due. Raises IndexDamagedError and what the disk can raise."""
        while due := self._index.due():
            for document, mark in due:
                await self._bring_up_to_date(document, mark)
                await asyncio.sleep(0)

    def find_missing(self) -> None:
        """Files that somebody removed become due, and those of a format in which they were not written lately."""
        missing = (written for written in self._index.all_written() if not self._are_there(written))
        self._index.make_due([written.promise.document.id for written in missing])

    async def _bring_up_to_date(self, document: str, mark: int) -> None:
        entry = self._index.entry(document)
        if entry is not None and self._is_forgotten(entry):
            self._remove(entry.document)
            self._index.settle_removed(document, mark)
            return
        promise = self._newest_complete(document, promise_of(entry) if entry else None)
        if promise is None or self._is_current(promise):
            self._index.settle(document, mark)
            return
        name = self._name(promise.document) if self._formats else None
        # Before they are written: what is taken in meanwhile may not be in them.
        described = self._index.describe(promise, name, (derived.format for derived in self._formats))
        await self._write(promise)
        self._index.settle_written(described, mark)

    def _is_forgotten(self, entry: LedgerEntry) -> bool:
        """So it says, or it promises nothing though an earlier version was written: only `forget` ends a promise.

        The entry of `forget` itself may never be seen, since compaction leaves the newest one. An entry of the version
        that was written is no sign: who reads the ledger from its beginning sees it before the version is complete.
        """
        if entry.state is FileState.FORGOTTEN:
            return True
        if promise_of(entry) is not None:
            return False
        written = self._index.written(entry.document.id)
        before = written.promise if written else self._on_disk(entry.document)
        return before is not None and before.document.version < entry.document.version

    def _newest_complete(self, document: str, promised: Promise | None) -> Promise | None:
        """What the ledger promises, if all its chunks have an outcome; else the one before, which stays until then."""
        written = self._index.written(document)
        before = written.promise if written else promised and self._on_disk(promised.document)
        if promised and before and before.age == promised.age:
            known = (
                promised.encoding or before.encoding
            )  # of a version that is not the last one the ledger may not tell
            promised, before = promised.model_copy(update={"encoding": known}), None
        candidates = sorted(filter(None, (promised, before)), key=lambda promise: promise.age, reverse=True)
        return next(filter(self._is_complete, candidates), None)

    def _is_complete(self, promise: Promise) -> bool:
        return self._index.answers(promise).chunks >= promise.chunks

    def _on_disk(self, document: Document) -> Promise | None:
        """What the document's file was made of: the index may be newer than it."""
        name = self._name(document)
        found = (derived.promise_in(derived.path(name)) for derived in self._formats)
        ours = [each for each in found if each and each.document.id == document.id]
        return max(ours, key=lambda each: each.age, default=None)

    def _are_there(self, written: Written) -> bool:
        """Whether its files are, of what was written last: that of a format that was left out then is older."""
        return all(
            written.name and derived.format in written.formats and derived.path(written.name).exists()
            for derived in self._formats
        )

    def _is_current(self, promise: Promise) -> bool:
        written = self._index.written(promise.document.id)
        return (
            written is not None
            and _facts(written.promise) == _facts(promise)
            and written.replaced == self._index.answers(promise).replaced
            and self._are_there(written)
        )

    async def _write(self, promise: Promise) -> None:
        for derived in self._formats:
            await self._write_one(promise, derived, derived.path(self._name(promise.document)))

    async def _write_one(self, promise: Promise, derived: Derived, path: Path) -> None:
        """Unless the one that is there has the same bytes."""
        with SegmentFiles(self._layout.results) as segments, durable.TempFile(self._layout.temp / "document") as file:
            for count, piece in enumerate(derived.render(promise, self._index, segments), start=1):
                file.write(piece)
                if count % PIECES_PER_TURN == 0:
                    await asyncio.sleep(0)
            file.flush()
            if not _same_bytes(file.path, path):
                file.publish(path, make_folders=True)

    def _remove(self, document: Document) -> None:
        """Of all formats: what an earlier sink wrote is forgotten too."""
        name = self._name(document)
        for derived in readable(self._layout):
            path = derived.path(name)
            found = derived.promise_in(path)
            if found is not None and found.document.id == document.id:
                durable.remove(path)
                _remove_empty(path, derived.folder)

    def _name(self, document: Document) -> str:
        if not self._manifest.first_source:
            self._manifest = name_first_source(self._layout.manifest, self._manifest, document.source)
        return str(document_name(document, first_source=self._manifest.first_source))


def _remove_empty(path: Path, folder: Path) -> None:
    """Folders above `path` that have nothing in them any more, below `folder`."""
    with suppress(OSError):  # one that is not empty stays, and those above it
        for above in path.relative_to(folder).parents[:-1]:
            (folder / above).rmdir()


def _facts(promise: Promise) -> tuple[object, ...]:
    return promise.age, promise.chunks, promise.sha256, promise.encoding


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        with one.open("rb") as a, other.open("rb") as b:
            if os.fstat(a.fileno()).st_size != os.fstat(b.fileno()).st_size:
                return False
            return all(iter(lambda: _step(a, b), None))
    except FileNotFoundError:
        return False


def _step(a: IO[bytes], b: IO[bytes]) -> bool | None:
    """Whether the next blocks are equal; None at the end."""
    block, other = a.read(COMPARED_BYTES), b.read(COMPARED_BYTES)
    return block == other if block or other else None
