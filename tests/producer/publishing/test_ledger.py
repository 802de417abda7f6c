from dataclasses import replace

import pytest

from producer.files.source import Found
from producer.publishing.ledger import Action, Ledger, Rules, abandoned, action, touched, vanished
from schemas import CompleteVersion, Document, FileState, LedgerEntry, encode
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


TOUCHED = replace(FILE, mtime_ns=2000)
GROWN = replace(FILE, size_bytes=11)
OTHER_RULES = replace(RULES, splitter=digest("t"))


@pytest.mark.parametrize(
    ("known", "found", "rules", "expected"),
    [
        (None, FILE, RULES, Action.PUBLISH),
        (entry(FileState.COMPLETE), FILE, RULES, Action.NOTHING),
        (entry(FileState.COMPLETE), TOUCHED, RULES, Action.COMPARE),
        (entry(FileState.COMPLETE), GROWN, RULES, Action.PUBLISH),
        (entry(FileState.COMPLETE), FILE, OTHER_RULES, Action.PUBLISH),
        (entry(FileState.PUBLISHING), FILE, RULES, Action.RESUME),
        (entry(FileState.PUBLISHING), TOUCHED, RULES, Action.ABANDON),
        (entry(FileState.PUBLISHING), FILE, OTHER_RULES, Action.ABANDON),
        (entry(FileState.ABANDONED), FILE, RULES, Action.PUBLISH),
        (entry(FileState.REJECTED), FILE, RULES, Action.NOTHING),
        (entry(FileState.REJECTED), TOUCHED, RULES, Action.COMPARE),
        (entry(FileState.REJECTED, sha256=None), FILE, RULES, Action.PUBLISH),  # the limit was raised
        (entry(FileState.REJECTED, sha256=None), FILE, replace(RULES, max_file_bytes=9), Action.NOTHING),
        (entry(FileState.VANISHED, sha256=SHA), FILE, RULES, Action.COMPARE),
        (entry(FileState.VANISHED), FILE, RULES, Action.PUBLISH),
        (entry(FileState.FORGOTTEN, sha256=SHA), FILE, RULES, Action.NOTHING),
        (entry(FileState.FORGOTTEN, sha256=SHA), TOUCHED, RULES, Action.COMPARE),
    ],
)
def test_what_a_file_needs(known: LedgerEntry | None, found: Found, rules: Rules, expected: Action) -> None:
    assert action(known, found, rules) is expected


def test_done_agrees_with_action() -> None:
    for state in FileState:
        for found in (FILE, TOUCHED, GROWN):
            for rules in (RULES, OTHER_RULES):
                ledger, known = Ledger("src"), entry(state)
                ledger.put(known, encode(known))
                assert ledger.done(found, rules) == (action(known, found, rules) is Action.NOTHING)
    assert not Ledger("src").done(FILE, RULES)


def test_what_came_back_unchanged_is_what_it_was() -> None:
    complete = CompleteVersion(version=3, chunks=1, characters=9, size_bytes=10, sha256=SHA, splitter=RULES.splitter)
    gone = vanished(entry(FileState.COMPLETE, complete=complete, chunks=1))
    assert (gone.state, gone.complete, gone.sha256) == (FileState.VANISHED, complete, SHA)
    back = touched(gone, TOUCHED)
    assert (back.state, back.complete, back.mtime_ns) == (FileState.COMPLETE, complete, 2000)
    assert touched(vanished(entry(FileState.REJECTED, reason="bad")), FILE).state is FileState.REJECTED


def test_an_unfinished_file_that_vanished_begins_anew() -> None:
    gone = vanished(entry(FileState.PUBLISHING, chunks=5))
    assert action(gone, FILE, RULES) is Action.PUBLISH


def test_an_abandoned_entry_keeps_the_complete_version() -> None:
    complete = CompleteVersion(version=2, chunks=1, characters=9, size_bytes=10, sha256=SHA, splitter=RULES.splitter)
    left = abandoned(entry(FileState.PUBLISHING, complete=complete, chunks=5), "why")
    assert (left.state, left.complete, left.reason, left.chunks) == (FileState.ABANDONED, complete, "why", 5)


def test_absent_names_documents_that_had_a_file() -> None:
    ledger = Ledger("src")
    for state in FileState:
        path = f"{state}.txt"
        known = entry(state).model_copy(
            update={"document": Document(id=digest(path), source="src", path=path, version=1)}
        )
        ledger.put(known, encode(known))
    assert set(ledger.absent({"complete.txt"})) == {"publishing.txt", "abandoned.txt", "rejected.txt"}
