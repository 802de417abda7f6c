import pytest

from ledger.transitions import ActionName, has_to_wait, requested
from schemas import FileState, LedgerEntry, Request
from schemas.ids import request_id
from schemas.messages import now
from tests.ledger.make import completed, entry

COMPLETE = completed(3, 2)


def of(state: FileState, **more: object) -> LedgerEntry:
    return entry(state, **({"complete": COMPLETE, "chunks": 2} | more))


def request(action: ActionName, *, fresh: bool = False, number: int = 0) -> Request:
    document = entry(FileState.COMPLETE).document
    id_ = request_id(document.id, number)
    return Request(request_id=id_, action=action, fresh=fresh, document=document, created_at=now())


@pytest.mark.parametrize("fresh", [False, True])
def test_regenerate_begins_the_next_generation_and_keeps_the_complete_one(fresh: bool) -> None:
    changed = requested(of(FileState.COMPLETE, sample=4), request("regenerate", fresh=fresh))
    assert changed
    assert (changed.state, changed.generation, changed.chunks) == (FileState.PUBLISHING, 1, 0)
    assert (changed.document.version, changed.complete, changed.sample) == (3, COMPLETE, 4 + fresh)


@pytest.mark.parametrize("state", FileState)
def test_forget_leaves_no_complete_version_to_show(state: FileState) -> None:
    changed = requested(of(state), request("forget"))
    if state is FileState.FORGOTTEN:
        assert changed is None
    else:
        assert changed
        assert (changed.state, changed.complete) == (FileState.FORGOTTEN, None)


@pytest.mark.parametrize("state", FileState)
def test_only_a_rejected_file_is_tried_again(state: FileState) -> None:
    changed = requested(of(state), request("retry"))
    assert (changed is not None) == (state is FileState.REJECTED)


@pytest.mark.parametrize("state", FileState)
def test_only_new_answers_wait_for_the_end_of_a_publication(state: FileState) -> None:
    assert has_to_wait(of(state), "regenerate") == (state in (FileState.PUBLISHING, FileState.ABANDONED))
    assert not has_to_wait(of(state), "forget")
