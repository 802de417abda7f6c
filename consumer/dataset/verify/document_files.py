"""Compares the files of documents with the outcomes in the segments."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from ledger.promise import Promise
from output.formats.derived import Derived
from output.formats.registry import chosen_formats, readable_formats
from output.index.tables import Index
from output.layout import Layout
from output.manifest import Manifest
from output.names import document_name, document_path
from output.segments.lookup import SegmentFiles
from schemas import Document


@dataclass(frozen=True, slots=True)
class DocumentFiles:
    """Compares files in all `formats` with `picture`, a snapshot of the segments."""

    layout: Layout
    picture: Layout
    manifest: Manifest
    formats: tuple[str, ...]

    def has(self, promise: Promise, index: Index) -> bool:
        """Tells whether each format has a file of the document with the right content."""
        name = self._name(promise.document)
        return all(self._is_current(kind, name, promise, index) for kind in chosen_formats(self.formats))

    def has_any(self, document: Document) -> bool:
        """Tells whether any format has a file of the document."""
        name = self._name(document)
        found = (kind.promise_in(document_path(self.layout, kind, name)) for kind in readable_formats())
        return any(promise is not None and promise.document.id == document.id for promise in found)

    def _is_current(self, kind: Derived, name: PurePosixPath, promise: Promise, index: Index) -> bool:
        path = document_path(self.layout, kind, name)
        found = kind.promise_in(path)
        if found is None:
            return False
        if promise.encoding is None:  # the ledger may not tell the encoding of an earlier version
            promise = promise.model_copy(update={"encoding": found.encoding})
        with SegmentFiles(self.picture.results) as segments:
            return kind.is_current(path, promise, index, segments)

    def _name(self, document: Document) -> PurePosixPath:
        return document_name(document, first_source=self.manifest.first_source)
