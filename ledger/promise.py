"""The promise of the ledger: the newest complete version of a document, and its number of chunks."""

from schemas import Document, FileState, LedgerEntry
from schemas.messages import Message, Number, Sha256


class Promise(Message):
    """The newest complete version of a document. Its file is written once all its `chunks` have an outcome."""

    document: Document
    generation: Number
    chunks: Number
    sha256: Sha256
    encoding: str | None = None

    @property
    def age(self) -> tuple[int, int]:
        """Version and generation: they order the promises of one document."""
        return self.document.version, self.generation

    def is_kept(self, answered: int) -> bool:
        """Tells whether the document is complete, given how many of its promised chunks have an outcome."""
        return all_answered(self.chunks, answered)


def all_answered(chunks: int, answered: int) -> bool:
    """Tells whether `answered` outcomes of different chunks are those of all `chunks` chunks."""
    return answered >= chunks


def promise_of(entry: LedgerEntry) -> Promise | None:
    """Returns the promise; None where no version is complete, or the document is forgotten."""
    document, known = entry.document, entry.complete
    if entry.state is FileState.COMPLETE and entry.sha256 is not None:
        version, generation, chunks = document.version, entry.generation, entry.chunks
        sha256, encoding = entry.sha256, entry.encoding
    elif known is not None and entry.state is not FileState.FORGOTTEN:
        version, generation, chunks, sha256 = known.version, known.generation, known.chunks, known.sha256
        encoding = known.encoding or (entry.encoding if version == document.version else None)
    else:
        return None
    document = document.model_copy(update={"version": version})
    return Promise(document=document, generation=generation, chunks=chunks, sha256=sha256, encoding=encoding)
