import pytest

from ledger.promise import promise_of
from schemas import FileState
from tests.support.outcomes import make_complete, make_document, make_entry

DOCUMENT = make_document("a.md", version=3)


def test_a_complete_entry_promises_its_own_version():
    promise = promise_of(make_entry(DOCUMENT, 5, generation=1, complete=make_complete(2, 9)))
    assert (promise.age, promise.chunks, promise.document, promise.encoding) == ((3, 1), 5, DOCUMENT, "utf-8")


@pytest.mark.parametrize("state", [s for s in FileState if s not in (FileState.COMPLETE, FileState.FORGOTTEN)])
def test_any_other_promises_the_version_before_it(state):
    promise = promise_of(
        make_entry(DOCUMENT, 1, state=state, complete=make_complete(2, 9, generation=4, encoding="gb18030"))
    )
    assert (promise.age, promise.chunks, promise.encoding) == ((2, 4), 9, "gb18030")
    assert promise.document == DOCUMENT.model_copy(update={"version": 2})
    assert promise_of(make_entry(DOCUMENT, 1, state=state)) is None


def test_a_forgotten_document_promises_nothing():
    assert promise_of(make_entry(DOCUMENT, 1, state=FileState.FORGOTTEN, complete=make_complete(2, 9))) is None


def test_what_the_ledger_does_not_say_of_an_earlier_version_is_not_taken_from_the_later():
    complete = make_complete(2, 9).model_copy(update={"encoding": None})
    assert promise_of(make_entry(DOCUMENT, 1, state=FileState.PUBLISHING, complete=complete)).encoding is None
