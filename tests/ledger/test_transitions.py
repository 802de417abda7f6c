"""The table of states, walked at random and by name."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import transitions
from ledger.needs import FileNeed, need_of, outline_of
from ledger.promise import promise_of
from ledger.transitions import SETTLED, TABLE, ActionName, Event, TransitionError, allowed
from schemas import DeadLetter, FileState, LedgerEntry, Original
from schemas.ids import digest
from schemas.messages import now
from tests.ledger.make import FILE, RULES, SHA, completed, entry
from tests.ledger.test_requests import request

LETTER = DeadLetter(
    letter_id=digest("letter"),
    kind="file",
    reason="bad",
    error_class="binary",
    original=Original(base64="", size_bytes=10, sha256=SHA),
    created_at=now(),
)


def begin(before: LedgerEntry | None) -> LedgerEntry:
    document = entry(FileState.COMPLETE).document
    return transitions.begin(before, document=document, size_bytes=10, mtime_ns=1000, splitter=RULES.splitter)


def advance(before: LedgerEntry, more: int = 1) -> LedgerEntry:
    return transitions.advance(
        before,
        document=before.document,
        encoding="utf-8",
        next_byte=10,
        next_char=before.next_char + more,
        chunks=before.chunks + more,
    )


def complete(before: LedgerEntry) -> LedgerEntry:
    return transitions.complete(before, sha256=SHA, encoding="utf-8", size_bytes=10, characters=9, marks="")


APPLY: dict[Event, Callable[[LedgerEntry], LedgerEntry]] = {
    Event.BEGUN: begin,
    Event.ADVANCED: advance,
    Event.COMPLETED: complete,
    Event.CONTENT_REJECTED: lambda before: transitions.reject(before, LETTER, committed=before),
    Event.ABANDONED: lambda before: transitions.abandon(before, "why"),
    Event.UNCHANGED: lambda before: transitions.keep(before, mtime_ns=2000),
    Event.VANISHED: transitions.vanish,
    Event.REGENERATE: lambda before: requested_of(before, "regenerate"),
    Event.FORGET: lambda before: requested_of(before, "forget"),
    Event.RETRY: lambda before: requested_of(before, "retry"),
}


def requested_of(before: LedgerEntry, action: ActionName) -> LedgerEntry:
    changed = transitions.requested(before, request(action))
    if changed is None:
        raise TransitionError
    return changed


def age(known: LedgerEntry) -> tuple[int, int]:
    return known.document.version, known.generation


def applies(known: LedgerEntry, event: Event) -> bool:
    if event is Event.UNCHANGED:
        return known.sha256 is not None and (known.state in SETTLED or known.state is FileState.VANISHED)
    return allowed(known.state, event)


@given(st.lists(st.sampled_from(sorted(APPLY))))
def test_whatever_happens_to_a_document_its_entry_stays_in_order(events: list[Event]) -> None:
    """Events that the table does not have are refused; the others keep what readers rely on."""
    known = begin(None)
    for event in events:
        if not applies(known, event):
            with pytest.raises(TransitionError):
                APPLY[event](known)
            continue
        before, known = known, APPLY[event](known)
        assert age(known) >= age(before)  # neither version nor generation falls
        assert age(known) == age(before) or event in (Event.BEGUN, Event.REGENERATE)
        if age(known) == age(before):
            assert known.chunks >= before.chunks
        if before.state is FileState.FORGOTTEN:
            assert (known.state is FileState.FORGOTTEN) == (event is not Event.BEGUN)
        promised, promised_before = promise_of(known), promise_of(before)
        if promised_before and event is not Event.FORGET:
            assert promised
            assert promised.age >= promised_before.age
        if known.state is FileState.COMPLETE:
            assert promised
            assert promised.age == age(known)


@given(st.lists(st.sampled_from(sorted(APPLY))))
def test_a_file_that_needs_nothing_is_settled_and_what_it_needs_is_allowed(events: list[Event]) -> None:
    known = begin(None)
    for event in events:
        known = APPLY[event](known) if applies(known, event) else known
        for file in (FILE, replace(FILE, mtime_ns=2000), replace(FILE, size_bytes=11)):
            match need_of(outline_of(known), file, RULES):
                case FileNeed.NOTHING:
                    assert known.state in SETTLED
                case FileNeed.COMPARE:
                    transitions.keep(known, mtime_ns=file.mtime_ns)
                case FileNeed.PUBLISH:
                    begin(known)
                case FileNeed.RESUME:
                    complete(known)
                case FileNeed.ABANDON:
                    begin(transitions.abandon(known, "why"))


def test_the_table_has_every_event_and_reaches_every_state() -> None:
    assert TABLE.keys() == set(Event)
    assert {state for row in TABLE.values() for state in row.values()} == set(FileState)
    for state in FileState:
        assert sum(allowed(state, event) for event in Event) >= 2


def test_an_event_out_of_place_names_the_state() -> None:
    with pytest.raises(TransitionError, match=r"the file is gone.*forgotten"):
        transitions.vanish(entry(FileState.FORGOTTEN))


def test_a_file_that_came_back_unchanged_is_what_it_was() -> None:
    known = completed(3, 1)
    gone = transitions.vanish(entry(FileState.COMPLETE, complete=known, chunks=1))
    assert (gone.state, gone.complete, gone.sha256) == (FileState.VANISHED, known, SHA)
    back = transitions.keep(gone, mtime_ns=2000)
    assert (back.state, back.complete, back.mtime_ns) == (FileState.COMPLETE, known, 2000)
    rejected = transitions.vanish(entry(FileState.REJECTED, reason="bad"))
    assert transitions.keep(rejected, mtime_ns=1000).state is FileState.REJECTED


def test_an_unfinished_file_that_vanished_begins_anew() -> None:
    gone = transitions.vanish(entry(FileState.PUBLISHING, chunks=5))
    assert need_of(outline_of(gone), FILE, RULES) is FileNeed.PUBLISH


def test_an_abandoned_entry_keeps_the_complete_version() -> None:
    left = transitions.abandon(entry(FileState.PUBLISHING, complete=completed(2, 1), chunks=5), "why")
    assert (left.state, left.complete, left.reason, left.chunks) == (FileState.ABANDONED, completed(2, 1), "why", 5)


@pytest.mark.parametrize(("version", "chunks"), [(3, 5), (2, 0)])
def test_a_rejected_entry_counts_the_chunks_of_its_version_that_are_published(version: int, chunks: int) -> None:
    document = entry(FileState.PUBLISHING).document.model_copy(update={"version": version})
    committed = entry(FileState.PUBLISHING, chunks=5, document=document)
    left = transitions.reject(entry(FileState.PUBLISHING, chunks=9), LETTER, committed=committed)
    assert (left.state, left.reason, left.chunks) == (FileState.REJECTED, "bad", chunks)
