"""What the ledger promises: which version of a document is complete, and of how many chunks."""

from dataclasses import dataclass

from schemas import Document, FileState, LedgerEntry


@dataclass(frozen=True, slots=True)
class Promise:
    """The newest complete version of a document. `chunks` outcomes make its file."""

    document: Document
    generation: int
    chunks: int
    sha256: str
    encoding: str | None

    @property
    def age(self) -> tuple[int, int]:
        """Orders versions and generations of one document."""
        return self.document.version, self.generation


def promise_of(entry: LedgerEntry) -> Promise | None:
    """None where no version is complete, or the document is forgotten."""
    if entry.state is FileState.FORGOTTEN:
        return None
    if entry.state is FileState.COMPLETE and entry.sha256 is not None:
        return Promise(entry.document, entry.generation, entry.chunks, entry.sha256, entry.encoding)
    known = entry.complete
    if known is None:
        return None
    same_version = known.version == entry.document.version
    document = entry.document.model_copy(update={"version": known.version})
    encoding = known.encoding or (entry.encoding if same_version else None)
    return Promise(document, known.generation, known.chunks, known.sha256, encoding)
