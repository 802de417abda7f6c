from ledger.entries import Ledger
from messaging.record import Record
from producer.publishing.requests import Requests
from schemas import FileState, LedgerEntry, Request, TopicNames, encode
from tests.ledger.test_requests import of, request

NAMES = TopicNames("t")


def record(asked: Request, *, offset: int = 0, ended: bool = False) -> Record:
    value = None if ended else encode(asked)
    return Record(NAMES.requests, 0, offset, asked.request_id.encode(), value)


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
