from dataclasses import replace

import pytest

from ledger.needs import Need, Rules, need_of, outline_of
from producer.files.source import Found
from schemas import FileState, LedgerEntry
from schemas.ids import digest
from tests.ledger.make import FILE, RULES, SHA, entry

TOUCHED = replace(FILE, mtime_ns=2000)
GROWN = replace(FILE, size_bytes=11)
OTHER_RULES = replace(RULES, splitter=digest("t"))
LOWERED = replace(RULES, max_file_bytes=9)


@pytest.mark.parametrize(
    ("known", "found", "rules", "expected"),
    [
        (None, FILE, RULES, Need.PUBLISH),
        (entry(FileState.COMPLETE), FILE, RULES, Need.NOTHING),
        (entry(FileState.COMPLETE), TOUCHED, RULES, Need.COMPARE),
        (entry(FileState.COMPLETE), GROWN, RULES, Need.PUBLISH),
        (entry(FileState.COMPLETE), FILE, OTHER_RULES, Need.PUBLISH),
        (entry(FileState.PUBLISHING), FILE, RULES, Need.RESUME),
        (entry(FileState.PUBLISHING), TOUCHED, RULES, Need.ABANDON),
        (entry(FileState.PUBLISHING), FILE, OTHER_RULES, Need.ABANDON),
        (entry(FileState.PUBLISHING), FILE, LOWERED, Need.ABANDON),
        (entry(FileState.ABANDONED), FILE, RULES, Need.PUBLISH),
        (entry(FileState.ABANDONED, sha256=SHA), TOUCHED, RULES, Need.PUBLISH),
        (entry(FileState.REJECTED), FILE, RULES, Need.NOTHING),
        (entry(FileState.REJECTED), TOUCHED, RULES, Need.COMPARE),
        (entry(FileState.REJECTED, sha256=None), FILE, RULES, Need.PUBLISH),  # the limit was raised
        (entry(FileState.REJECTED, sha256=None), FILE, LOWERED, Need.NOTHING),
        (entry(FileState.VANISHED, sha256=SHA), FILE, RULES, Need.COMPARE),
        (entry(FileState.VANISHED), FILE, RULES, Need.PUBLISH),
        (entry(FileState.FORGOTTEN, sha256=SHA), FILE, RULES, Need.NOTHING),
        (entry(FileState.FORGOTTEN, sha256=SHA), TOUCHED, RULES, Need.COMPARE),
    ],
)
def test_what_a_file_needs(known: LedgerEntry | None, found: Found, rules: Rules, expected: Need) -> None:
    assert need_of(outline_of(known) if known else None, found, rules) is expected
