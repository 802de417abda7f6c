"""The checker sees each kind of problem."""

import pytest

from chaos.checking.balance import Balance
from chaos.checking.checker import compare
from chaos.checking.feed import Expectation, Expected, Item, make_items, read_expectations
from messaging.record import Record
from schemas import (
    Chunk,
    ChunkRef,
    DeadLetter,
    ModelRef,
    Origin,
    Original,
    RecipeRef,
    Result,
    Status,
    TopicNames,
    decode,
    encode,
)
from schemas.ids import letter_id
from schemas.messages import now

NAMES = TopicNames("t")
ITEMS = list(make_items(40, seed=1, planted=8))


def record(topic: str, key: str, value: bytes, offset: int, partition: int = 0) -> Record:
    return Record(topic, partition, offset, key.encode(), value)


def outcome(item: Item, place: int) -> tuple[str, str, bytes]:
    """Returns the outcome of the item at offset `place`: a result, or a dead letter for an item that is no chunk."""
    origin = Origin(topic=NAMES.chunks, partition=0, offset=place)
    if item.expected is Expected.UNDECODABLE:
        return NAMES.dead_letters, "letter", letter(place, kind="record")
    chunk = decode(Chunk, item.value)
    result = Result(
        record_id=item.record,
        status=Status(item.expected.value),
        document=chunk.document,
        chunk=ChunkRef(id=chunk.chunk_id, **chunk.model_dump(include={"index", "start", "end", "text", "content_key"})),
        recipe=RecipeRef(name="r", hash="0" * 32),
        model=ModelRef(name="m"),
        origin=origin,
        created_at=now(),
    )
    return NAMES.results, chunk.document.id, encode(result)


def letter(place: int, *, kind: str = "chunk") -> bytes:
    return encode(
        DeadLetter(
            letter_id=letter_id(NAMES.chunks, 0, place),
            kind=kind,
            reason="planted",
            error_class="planted",
            original=Original(base64="", size_bytes=0),
            origin=Origin(topic=NAMES.chunks, partition=0, offset=place),
            created_at=now(),
        )
    )


def good_run() -> list[tuple[str, str, bytes]]:
    records = [outcome(item, place) for place, item in enumerate(ITEMS)]
    failed = [place for place, item in enumerate(ITEMS) if item.expected is Expected.FAILED]
    return records + [(NAMES.dead_letters, "letter", letter(place)) for place in failed]


def expectations() -> list[Expectation]:
    return [Expectation(item.expected, item.record, 0, place) for place, item in enumerate(ITEMS)]


def balance_of(records: list[tuple[str, str, bytes]]) -> Balance:
    balance = Balance(NAMES)
    for offset, (topic, key, value) in enumerate(records):
        balance.take(record(topic, key, value, offset))
    return balance


def kinds(records: list[tuple[str, str, bytes]], wanted: list[Expectation] | None = None) -> set[str]:
    return balance_of(records).verdict(wanted or expectations()).kinds


def ok_at() -> int:
    return next(place for place, item in enumerate(ITEMS) if item.expected is Expected.OK)


def test_items_hold_every_kind_and_are_the_same_again():
    assert {item.expected for item in ITEMS} == set(Expected) - {Expected.NOTHING}
    assert list(make_items(40, seed=1, planted=8)) == ITEMS


def test_a_good_run_has_no_problem():
    balance = balance_of(good_run())
    assert kinds(good_run()) == set()
    assert balance.outcomes == len(ITEMS)


def test_a_missing_result_is_lost():
    records = good_run()
    del records[ok_at()]
    assert kinds(records) == {"lost"}


def test_a_result_that_is_there_twice_is_doubled():
    records = good_run()
    assert kinds([*records, records[ok_at()]]) == {"doubled"}


def test_a_result_of_an_aborted_chunk_is_seen():
    place = ok_at()
    wanted = expectations()
    wanted[place] = Expectation(Expected.NOTHING, wanted[place].record, 0, place)
    assert kinds(good_run(), wanted) == {"aborted"}


def test_a_result_that_nobody_asked_for_is_foreign():
    wanted = expectations()
    del wanted[ok_at()]
    assert kinds(good_run(), wanted) == {"foreign"}


def test_letters_are_exactly_the_planted_ones():
    records = good_run()
    assert kinds(records[:-1]) == {"letters lost"}
    assert kinds([*records, records[-1]]) == {"letters doubled"}
    assert kinds([*records, (NAMES.dead_letters, "letter", letter(ok_at()))]) == {"letters not planted"}


def test_records_that_are_not_as_the_contract_says_are_seen():
    records = good_run()
    topic, _, value = records[ok_at()]
    assert kinds([(topic, "another key", value) if r is records[ok_at()] else r for r in records]) == {"contract"}
    assert "contract" in kinds([*records, (NAMES.results, "k", b"{}")])


def test_a_planted_chunk_that_was_answered_has_the_wrong_status():
    wanted = expectations()
    place = ok_at()
    wanted[place] = Expectation(Expected.EMPTY, wanted[place].record, 0, place)
    assert kinds(good_run(), wanted) == {"status"}


def test_what_was_read_along_has_to_be_there_at_the_end():
    records = good_run()
    final = balance_of(records[1:])
    verdict = final.verdict(expectations())
    compare(balance_of(records), final, verdict)
    assert verdict.problems["vanished"]


def test_a_partition_read_backwards_is_seen():
    balance = Balance(NAMES)
    for offset in (5, 3):
        balance.take(record(*outcome(ITEMS[ok_at()], ok_at()), offset))
    assert balance.verdict([]).problems["disorder"]


@pytest.mark.parametrize("expected", Expected)
def test_expectations_survive_their_file(expected: Expected, tmp_path):
    line = f'{{"expected": "{expected.value}", "record": "r", "partition": 1, "offset": 2}}'
    assert read_expectations([line]) == [Expectation(expected, "r", 1, 2)]
