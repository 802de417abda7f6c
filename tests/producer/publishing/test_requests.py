import pytest

from messaging.record import Record
from producer.publishing.ledger import Ledger, requested
from producer.publishing.requests import Requests
from schemas import CompleteVersion, FileState, LedgerEntry, Request, TopicNames, encode
from schemas.ids import request_id
from schemas.messages import now
from tests.producer.publishing.test_ledger import RULES, SHA, entry

NAMES = TopicNames("t")
COMPLETE = CompleteVersion(version=3, chunks=2, characters=9, size_bytes=10, sha256=SHA, splitter=RULES.splitter)


def request(action: str, *, fresh: bool = False, number: int = 0) -> Request:
    document = entry(FileState.COMPLETE).document
    return Request.model_validate(
        {
            "request_id": request_id(document.id, number),
            "action": action,
            "fresh": fresh,
            "document": document,
            "created_at": now(),
        }
    )


def record(asked: Request, *, offset: int = 0, ended: bool = False) -> Record:
    value = None if ended else encode(asked)
    return Record(NAMES.requests, 0, offset, asked.request_id.encode(), value)


def of(state: FileState, **more: object) -> LedgerEntry:
    return entry(state, **({"complete": COMPLETE, "chunks": 2} | more))


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


def ledger(state: FileState) -> Ledger:
    known = Ledger("src")
    put(known, of(state))
    return known


def put(known: Ledger, changed: LedgerEntry) -> None:
    known.put(changed, encode(changed))


def taken_up(requests: Requests, known: Ledger) -> list[list[tuple[str, bytes | None]]]:
    done = []
    for batch in requests.batches(known):
        done.append([(topic, value) for topic, _, value, _ in batch.records])
        for changed, value in batch.entries.values():
            known.put(changed, value)
    return done


def test_an_entry_and_the_end_of_its_request_are_one_transaction() -> None:
    rung: list[int] = []
    requests, known = Requests("src", NAMES, ring=lambda: rung.append(1)), ledger(FileState.COMPLETE)
    requests.take(record(request("forget"), offset=7))
    assert (requests.unseen, requests.following, rung) == (True, {0: 8}, [1])
    ((end, change),) = taken_up(requests, known)
    assert end == (NAMES.requests, None)
    assert change[0] == NAMES.files
    assert known.state("a.txt") is FileState.FORGOTTEN
    assert not requests.unseen
    assert taken_up(requests, known) == []


def test_two_requests_for_a_document_follow_one_another() -> None:
    requests, known = Requests("src", NAMES), ledger(FileState.COMPLETE)
    requests.take(record(request("regenerate", number=1)))
    requests.take(record(request("forget", number=2)))
    assert len(taken_up(requests, known)) == 2
    assert known.state("a.txt") is FileState.FORGOTTEN


def test_new_answers_wait_until_a_publication_has_ended() -> None:
    requests, known = Requests("src", NAMES), ledger(FileState.PUBLISHING)
    requests.take(record(request("regenerate")))
    assert taken_up(requests, known) == []
    put(known, of(FileState.COMPLETE))
    assert len(taken_up(requests, known)) == 1


def test_what_is_done_or_of_others_or_unreadable_is_not_taken_up() -> None:
    requests = Requests("src", NAMES)
    requests.take(record(request("forget")))
    requests.take(record(request("forget"), ended=True))
    Requests("other", NAMES).take(record(request("forget")))
    requests.take(Record(NAMES.requests, 0, 3, b"k", b"no"))
    assert taken_up(requests, ledger(FileState.COMPLETE)) == []


def test_a_request_that_means_nothing_any_more_ends() -> None:
    requests = Requests("src", NAMES)
    requests.take(record(request("retry")))
    assert taken_up(requests, ledger(FileState.COMPLETE)) == [[(NAMES.requests, None)]]
