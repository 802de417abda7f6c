"""The states of a file and the events that change them: one table, and one function an event.

A ledger entry is changed here and nowhere else. Each event function takes the newest entry of a document and returns
the entry that replaces it. It raises TransitionError where the table has no such transition.
"""

from enum import StrEnum
from typing import Any, Literal

from schemas import CompleteVersion, DeadLetter, Document, FileState, LedgerEntry, Request
from schemas.messages import MOST, now

PUBLISHING, COMPLETE, ABANDONED, REJECTED, VANISHED, FORGOTTEN = FileState
ActionName = Literal["regenerate", "forget", "retry"]
"""A user's request for a document."""


class Event(StrEnum):
    """An event in the life of a document, in words for an error message."""

    BEGUN = "a new version begins"
    ADVANCED = "more chunks are published"
    COMPLETED = "all chunks are published"
    CONTENT_REJECTED = "the content can't be published"
    ABANDONED = "the file changed before all of it was published"
    UNCHANGED = "the file was touched"
    RETURNED = "the file is back"
    RETURNED_REJECTED = "the rejected file is back"
    VANISHED = "the file is gone"
    REGENERATE = "a user asks for new answers"
    FORGET = "a user drops the document"
    RETRY = "a user asks to read the file again"


TABLE: dict[Event, dict[FileState | None, FileState]] = {
    Event.BEGUN: dict.fromkeys((None, COMPLETE, ABANDONED, REJECTED, VANISHED, FORGOTTEN), PUBLISHING),
    Event.ADVANCED: {PUBLISHING: PUBLISHING},
    Event.COMPLETED: {PUBLISHING: COMPLETE},
    Event.CONTENT_REJECTED: {PUBLISHING: REJECTED},
    Event.ABANDONED: {PUBLISHING: ABANDONED},
    Event.UNCHANGED: {state: state for state in (COMPLETE, REJECTED, FORGOTTEN)},
    Event.RETURNED: {VANISHED: COMPLETE},
    Event.RETURNED_REJECTED: {VANISHED: REJECTED},
    Event.VANISHED: dict.fromkeys((PUBLISHING, COMPLETE, ABANDONED, REJECTED), VANISHED),
    Event.REGENERATE: {COMPLETE: PUBLISHING},
    Event.FORGET: dict.fromkeys((PUBLISHING, COMPLETE, ABANDONED, REJECTED, VANISHED), FORGOTTEN),
    Event.RETRY: {REJECTED: ABANDONED},
}
"""The next state by event and state. None is a document without an entry."""
SETTLED = frozenset(TABLE[Event.UNCHANGED])
"""States of documents whose file was dealt with to its end: an unchanged file needs nothing."""
PRESENT = frozenset(TABLE[Event.VANISHED])
"""States of documents that have a file in the directory, as far as the ledger knows."""
UNDER_WAY = PRESENT - SETTLED
"""States in which the publication goes on or starts again: a request for new answers waits for its end."""


class TransitionError(ValueError):
    """An event does not apply to the state of a document."""


def allowed(state: FileState | None, event: Event) -> bool:
    """Tells whether the table has a transition from `state` by `event`."""
    return state in TABLE[event]


def begin(
    before: LedgerEntry | None, *, document: Document, size_bytes: int, mtime_ns: int, splitter: str
) -> LedgerEntry:
    """Returns the entry of the next version; the complete version before it stays what readers get."""
    return LedgerEntry(
        document=document.model_copy(update={"version": before.document.version + 1 if before else 1}),
        state=_next(before.state if before else None, Event.BEGUN),
        size_bytes=size_bytes, mtime_ns=mtime_ns, splitter=splitter, updated_at=now(),
        sample=before.sample if before else 0,
        complete=before.complete if before else None,
    )  # fmt: skip


def advance(
    entry: LedgerEntry, *, document: Document, encoding: str, next_byte: int, next_char: int, chunks: int
) -> LedgerEntry:
    """Returns the entry after the first `chunks` chunks; `document` may have its title now."""
    progress = {"document": document, "encoding": encoding, "next_byte": next_byte, "next_char": next_char}
    return _after(entry, Event.ADVANCED, chunks=chunks, **progress)


def complete(
    entry: LedgerEntry, *, sha256: str, encoding: str | None, size_bytes: int, characters: int, marks: str
) -> LedgerEntry:
    """Returns the entry of a version whose chunks are all published: it replaces the complete version before it."""
    version = CompleteVersion(
        version=entry.document.version, generation=entry.generation, chunks=entry.chunks, characters=characters,
        size_bytes=entry.size_bytes, sha256=sha256, splitter=entry.splitter, encoding=encoding, marks=marks,
    )  # fmt: skip
    progress = {"encoding": encoding, "next_byte": size_bytes, "next_char": characters}
    return _after(entry, Event.COMPLETED, sha256=sha256, complete=version, **progress)


def reject(entry: LedgerEntry, letter: DeadLetter, *, committed: LedgerEntry | None) -> LedgerEntry:
    """Returns the entry of a file whose content can't be published, for the reason in its letter.

    It counts the chunks of this version that `committed` has: they were published before the bad content was found.
    """
    same = committed if committed and committed.document.version == entry.document.version else None
    progress = {name: getattr(same, name) if same else 0 for name in ("chunks", "next_char", "next_byte")}
    return _after(entry, Event.CONTENT_REJECTED, sha256=letter.original.sha256, reason=letter.reason, **progress)


def abandon(entry: LedgerEntry, reason: str) -> LedgerEntry:
    """Returns the entry of a version that can't be published to its end; the file's next version follows."""
    return _after(entry, Event.ABANDONED, sha256=None, reason=reason)


def keep(entry: LedgerEntry, *, mtime_ns: int) -> LedgerEntry:
    """Returns the entry of a file that was touched, or is back, with the content whose hash the entry has."""
    if entry.sha256 is None:
        raise TransitionError(f"a document without a hash can't be known to be unchanged: it is {entry.state}")
    event = Event.UNCHANGED
    if entry.state is VANISHED:
        event = Event.RETURNED_REJECTED if entry.reason else Event.RETURNED
    return _after(entry, event, mtime_ns=mtime_ns)


def vanish(entry: LedgerEntry) -> LedgerEntry:
    """Returns the entry of a file that is gone. It keeps the hash of a content that was dealt with to its end."""
    return _after(entry, Event.VANISHED, sha256=entry.sha256 if entry.state in SETTLED else None)


def requested(entry: LedgerEntry, request: Request) -> LedgerEntry | None:
    """Returns the entry once a user's request is taken up; None where the request changes nothing.

    `regenerate` begins the next generation of the same version; the complete one stays what readers get meanwhile.
    """
    try:
        match request.action:
            case "regenerate":
                progress = {"chunks": 0, "next_char": 0, "next_byte": 0, "sha256": None}
                numbers = {"generation": entry.generation + 1, "sample": entry.sample + request.fresh}
                if max(numbers.values()) > MOST:
                    return None  # no record can hold it
                return _after(entry, Event.REGENERATE, **numbers, **progress)
            case "forget":
                return _after(entry, Event.FORGET, complete=None)
            case "retry":
                return _after(entry, Event.RETRY, sha256=None, reason=f"to be read again; was rejected: {entry.reason}")
    except TransitionError:
        return None


def has_to_wait(entry: LedgerEntry, action: ActionName) -> bool:
    """Tells whether a user's request waits for the end of the publication that is under way."""
    return action == "regenerate" and entry.state in UNDER_WAY


def _after(entry: LedgerEntry, event: Event, **changes: Any) -> LedgerEntry:
    state = _next(entry.state, event)
    return entry.model_copy(update={**changes, "state": state, "updated_at": now()})


def _next(state: FileState | None, event: Event) -> FileState:
    if not allowed(state, event):
        raise TransitionError(f"{event.value}: not of a document that is {state or 'not in the ledger'}")
    return TABLE[event][state]
