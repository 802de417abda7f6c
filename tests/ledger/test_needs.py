from dataclasses import replace

import pytest

from ledger.needs import FileNeed, Rules, need_of, outline_of
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
        (None, FILE, RULES, FileNeed.PUBLISH),
        (entry(FileState.COMPLETE), FILE, RULES, FileNeed.NOTHING),
        (entry(FileState.COMPLETE), TOUCHED, RULES, FileNeed.COMPARE),
        (entry(FileState.COMPLETE), GROWN, RULES, FileNeed.PUBLISH),
        (entry(FileState.COMPLETE), FILE, OTHER_RULES, FileNeed.PUBLISH),
        (entry(FileState.PUBLISHING), FILE, RULES, FileNeed.RESUME),
        (entry(FileState.PUBLISHING), TOUCHED, RULES, FileNeed.ABANDON),
        (entry(FileState.PUBLISHING), FILE, OTHER_RULES, FileNeed.ABANDON),
        (entry(FileState.PUBLISHING), FILE, LOWERED, FileNeed.ABANDON),
        (entry(FileState.ABANDONED), FILE, RULES, FileNeed.PUBLISH),
        (entry(FileState.ABANDONED, sha256=SHA), TOUCHED, RULES, FileNeed.PUBLISH),
        (entry(FileState.REJECTED), FILE, RULES, FileNeed.NOTHING),
        (entry(FileState.REJECTED), TOUCHED, RULES, FileNeed.COMPARE),
        (entry(FileState.REJECTED, sha256=None), FILE, RULES, FileNeed.PUBLISH),  # the limit was raised
        (entry(FileState.REJECTED, sha256=None), FILE, LOWERED, FileNeed.NOTHING),
        (entry(FileState.VANISHED, sha256=SHA), FILE, RULES, FileNeed.COMPARE),
        (entry(FileState.VANISHED), FILE, RULES, FileNeed.PUBLISH),
        (entry(FileState.FORGOTTEN, sha256=SHA), FILE, RULES, FileNeed.NOTHING),
        (entry(FileState.FORGOTTEN, sha256=SHA), TOUCHED, RULES, FileNeed.COMPARE),
    ],
)
def test_what_a_file_needs(known: LedgerEntry | None, found: Found, rules: Rules, expected: FileNeed) -> None:
    assert need_of(outline_of(known) if known else None, found, rules) is expected
