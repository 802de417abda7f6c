"""Ledger entries of one document."""

from ledger.needs import Rules
from ledger.outcome import OutcomeChunk, OutcomeDocument, OutcomeSummary
from producer.files.source import Found
from schemas import CompleteVersion, Document, FileState, LedgerEntry, OutcomeError, Status
from schemas.ids import digest, document_id
from schemas.messages import now

FILE = Found("a.txt", "a.txt", 10, 1000)
RULES = Rules(splitter=digest("s"), max_file_bytes=100)
SHA = "ab" * 32


def entry(state: FileState, **more: object) -> LedgerEntry:
    fields: dict[str, object] = {
        "document": Document(id=document_id("src", "a.txt"), source="src", path="a.txt", version=3),
        "state": state,
        "size_bytes": FILE.size_bytes,
        "mtime_ns": FILE.mtime_ns,
        "splitter": RULES.splitter,
        "sha256": SHA if state in (FileState.COMPLETE, FileState.REJECTED) else None,
        "updated_at": now(),
    }
    return LedgerEntry.model_validate(fields | more)


def completed(version: int, chunks: int, *, generation: int = 0) -> CompleteVersion:
    return CompleteVersion(
        version=version,
        generation=generation,
        chunks=chunks,
        characters=9,
        size_bytes=10,
        sha256=SHA,
        splitter=RULES.splitter,
    )


def outcome(
    path: str = "a.txt",
    *,
    index: int = 0,
    version: int = 1,
    generation: int = 0,
    attempt: int = 0,
    failed: bool = False,
    source: str = "src",
) -> OutcomeSummary:
    return OutcomeSummary(
        status=Status.FAILED if failed else Status.OK,
        document=OutcomeDocument(id=document_id(source, path), source=source, path=path, version=version),
        chunk=OutcomeChunk(index=index),
        generation=generation,
        attempt=attempt,
        pairs=() if failed else (1, 2),
        error=OutcomeError(error_class="refused", message="no") if failed else None,
    )
