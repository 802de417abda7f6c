from ledger.entries import Ledger
from schemas import Document, FileState, encode
from schemas.ids import digest
from tests.ledger.make import FILE, RULES, entry


def test_a_document_that_is_not_known_is_not_done() -> None:
    ledger = Ledger("src")
    assert not ledger.done(FILE, RULES)
    assert (ledger.entry("a.txt"), ledger.state("a.txt")) == (None, None)


def test_the_newest_entry_counts() -> None:
    ledger = Ledger("src")
    for state in (FileState.PUBLISHING, FileState.COMPLETE):
        newest = entry(state)
        ledger.put(newest, encode(newest))
    assert (ledger.entry("a.txt"), list(ledger.entries())) == (newest, [newest])
    assert ledger.done(FILE, RULES)


def test_absent_names_documents_that_had_a_file() -> None:
    ledger = Ledger("src")
    for state in FileState:
        path = f"{state}.txt"
        document = Document(id=digest(path), source="src", path=path, version=1)
        known = entry(state).model_copy(update={"document": document})
        ledger.put(known, encode(known))
    assert set(ledger.absent({"complete.txt"})) == {"publishing.txt", "abandoned.txt", "rejected.txt"}
