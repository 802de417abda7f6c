from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from ledger.outcomes import Outcomes, Place
from schemas import CompleteVersion, FileState, LedgerEntry
from schemas.ids import digest
from tests.ledger.make import RULES, SHA, entry

ID = entry(FileState.COMPLETE).document.id


def at(version: int, chunks: int, *, complete: bool, generation: int = 0, before: LedgerEntry | None = None):
    known = CompleteVersion(
        version=version, generation=generation, chunks=chunks, characters=9, size_bytes=9, sha256=SHA,
        splitter=RULES.splitter,
    )  # fmt: skip
    base = entry(FileState.COMPLETE if complete else FileState.PUBLISHING)
    return base.model_copy(
        update={
            "document": base.document.model_copy(update={"version": version}),
            "generation": generation,
            "chunks": chunks,
            "complete": known if complete else (before.complete if before else None),
        }
    )


def record(index: int, *, version: int = 1, generation: int = 0, offset: int = 0, source: str = "src"):
    value = (
        f'{{"document": {{"id": "{ID}", "source": "{source}", "version": {version}}}, '
        f'"chunk": {{"index": {index}, "text": "x"}}, "generation": {generation}}}'
    )
    return value.encode(), Place(2, offset)


def test_each_outcome_is_counted_once_whatever_is_replayed() -> None:
    outcomes = Outcomes("src")
    outcomes.take_entry(at(1, 3, complete=True))
    for offset, index in enumerate((0, 0, 2, 0)):
        outcomes.take_result(*record(index, offset=offset))
    assert (outcomes.backlog, outcomes.answered(ID)) == (1, False)
    outcomes.take_result(*record(1, offset=9))
    outcomes.take_result(*record(1, offset=11))
    assert (outcomes.backlog, outcomes.answered(ID), outcomes.last_place(ID)) == (0, True, Place(2, 9))


def test_others_and_what_is_no_result_are_not_counted() -> None:
    outcomes = Outcomes("src")
    outcomes.take_entry(at(1, 1, complete=True))
    outcomes.take_result(*record(0, source="other"))
    outcomes.take_result(b"no", Place(0, 0))
    assert outcomes.backlog == 1


def test_an_outcome_may_come_before_the_news_of_its_chunk() -> None:
    outcomes = Outcomes("src")
    outcomes.take_result(*record(0))
    outcomes.take_entry(at(1, 2, complete=True))
    assert (outcomes.backlog, outcomes.answered(ID)) == (1, False)


def test_a_document_that_is_published_is_not_answered_before_its_end() -> None:
    outcomes = Outcomes("src")
    outcomes.take_entry(at(1, 1, complete=False))
    outcomes.take_result(*record(0))
    assert (outcomes.backlog, outcomes.answered(ID)) == (0, False)
    outcomes.take_entry(at(1, 2, complete=True))
    outcomes.take_result(*record(1))
    assert outcomes.answered(ID)


def test_a_document_without_chunks_is_answered() -> None:
    outcomes = Outcomes("src")
    outcomes.take_entry(at(1, 0, complete=True))
    assert (outcomes.answered(ID), outcomes.last_place(ID)) == (True, None)


def test_a_new_generation_waits_for_its_own_outcomes() -> None:
    outcomes = Outcomes("src")
    old = at(1, 1, complete=True)
    outcomes.take_entry(old)
    outcomes.take_result(*record(0))
    outcomes.take_entry(at(1, 1, complete=False, generation=1, before=old))
    assert (outcomes.backlog, outcomes.answered(ID)) == (1, False)
    outcomes.take_result(*record(0, offset=5))  # a replay of the old generation
    assert outcomes.backlog == 1


steps = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 12), st.booleans()), max_size=12)


@given(steps, st.randoms(use_true_random=False))
def test_the_backlog_is_what_was_published_less_what_was_answered(moves: list, chance) -> None:
    """Chunks of one version after another are published, and answered in any order."""
    outcomes, version, chunks, last = Outcomes("src"), 1, 0, None
    published: dict[int, set[int]] = defaultdict(set)
    waiting: list[tuple[int, int]] = []
    for more, answers, ends in moves:
        published[version] |= set(range(chunks, chunks + more))
        waiting += [(version, index) for index in range(chunks, chunks + more)]
        chunks += more
        last = at(version, chunks, complete=ends, before=last)
        outcomes.take_entry(last)
        chance.shuffle(waiting)
        for _ in range(min(answers, len(waiting))):
            known, index = waiting.pop()
            outcomes.take_result(*record(index, version=known))
        assert outcomes.backlog == len(waiting)
        if ends:
            version, chunks = version + 1, 0


def test_a_document_of_another_id_is_none_of_its_business() -> None:
    assert not Outcomes("src").answered(digest("x"))
