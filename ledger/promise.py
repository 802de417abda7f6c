"""What the ledger promises: which version of a document is complete, and of how many chunks."""

from schemas import Document, FileState, LedgerEntry
from schemas.messages import Count, Message, Sha256


class Promise(Message):
    """The newest complete version of a document. `chunks` outcomes make its file."""

    document: Document
    generation: Count
    chunks: Count
    sha256: Sha256
    encoding: str | None = None

    @property
    def age(self) -> tuple[int, int]:
        """Version and generation: they order the promises of one document."""
        return self.document.version, self.generation

    def is_kept(self, answered: int) -> bool:
        """Tell whether the document is complete, given how many of its promised chunks have an outcome."""
        return all_answered(self.chunks, answered)


def all_answered(chunks: int, answered: int) -> bool:
    """Tell whether `answered` outcomes of different chunks are those of all `chunks` chunks."""
    return answered >= chunks


def promise_of(entry: LedgerEntry) -> Promise | None:
    """None where no version is complete, or the document is forgotten."""
    if entry.state is FileState.FORGOTTEN:
        return None
    if entry.state is FileState.COMPLETE and entry.sha256 is not None:
        return Promise(
            document=entry.document,
            generation=entry.generation,
            chunks=entry.chunks,
            sha256=entry.sha256,
            encoding=entry.encoding,
        )
    return _earlier_promise(entry)


def _earlier_promise(entry: LedgerEntry) -> Promise | None:
    known = entry.complete
    if known is None:
        return None
    return Promise(
        document=entry.document.model_copy(update={"version": known.version}),
        generation=known.generation,
        chunks=known.chunks,
        sha256=known.sha256,
        encoding=known.encoding or (entry.encoding if known.version == entry.document.version else None),
    )
