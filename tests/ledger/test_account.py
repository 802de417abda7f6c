import gc
import tracemalloc
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from ledger.account import Account, ProgressTotals
from ledger.outcome import OutcomeSummary, ResultPosition
from schemas import FileState, LedgerEntry, decode, encode
from schemas.ids import digest
from tests.ledger.make import completed, entry, outcome

ID = entry(FileState.COMPLETE).document.id
AT = ResultPosition(2, 0)
MANY = 50_000


def at(version: int, chunks: int, *, complete: bool, generation: int = 0, before: LedgerEntry | None = None):
    known = completed(version, chunks, generation=generation)
    base = entry(FileState.COMPLETE if complete else FileState.PUBLISHING)
    return base.model_copy(
        update={
            "document": base.document.model_copy(update={"version": version}),
            "generation": generation,
            "chunks": chunks,
            "complete": known if complete else (before.complete if before else None),
        }
    )


def account(*entries: LedgerEntry) -> Account:
    made = Account("src")
    for each in entries:
        made.take_entry(each)
    return made


def test_each_outcome_is_counted_once_whatever_is_replayed() -> None:
    known = account(at(1, 3, complete=True))
    for offset, index in enumerate((0, 0, 2, 0)):
        known.take_outcome(outcome(index=index), ResultPosition(2, offset))
    assert (known.totals.backlog, known.answered(ID)) == (1, False)
    for offset in (9, 11):
        known.take_outcome(outcome(index=1), ResultPosition(2, offset))
    assert (known.totals.backlog, known.answered(ID), known.last_position(ID)) == (0, True, ResultPosition(2, 9))


def test_outcomes_of_another_source_are_not_counted() -> None:
    known = account(at(1, 1, complete=True))
    known.take_outcome(outcome(source="other"), AT)
    assert known.totals.backlog == 1
    assert not known.answered(digest("x"))


def test_without_a_source_all_are_counted() -> None:
    known = Account()
    for source in ("one", "two"):
        known.take_outcome(outcome(source=source), AT)
    assert known.totals.backlog == -2  # the entries of their documents are still to come


def test_an_outcome_may_come_before_the_news_of_its_chunk() -> None:
    known = account()
    known.take_outcome(outcome(), AT)
    known.take_entry(at(1, 2, complete=True))
    assert (known.totals.backlog, known.answered(ID)) == (1, False)


def test_outcomes_of_the_next_version_are_kept_until_its_entry_comes() -> None:
    known = account()
    known.take_outcome(outcome(version=2), AT)
    known.take_entry(at(1, 1, complete=True))
    known.take_outcome(outcome(version=1), AT)
    known.take_entry(at(2, 1, complete=True))
    assert (known.totals.backlog, known.answered(ID)) == (0, True)


def test_a_document_that_is_being_published_is_not_answered_before_its_end() -> None:
    known = account(at(1, 1, complete=False))
    known.take_outcome(outcome(), AT)
    assert (known.totals.backlog, known.answered(ID)) == (0, False)
    known.take_entry(at(1, 2, complete=True))
    known.take_outcome(outcome(index=1), AT)
    assert known.answered(ID)


def test_a_document_without_chunks_is_answered() -> None:
    known = account(at(1, 0, complete=True))
    assert (known.answered(ID), known.last_position(ID)) == (True, None)


def test_a_new_generation_waits_for_its_own_outcomes() -> None:
    old = at(1, 1, complete=True)
    known = account(old)
    known.take_outcome(outcome(), AT)
    known.take_entry(at(1, 1, complete=False, generation=1, before=old))
    assert (known.totals.backlog, known.answered(ID)) == (1, False)
    known.take_outcome(outcome(), ResultPosition(2, 5))  # a replay of the old generation
    assert known.totals.backlog == 1


def test_a_failed_chunk_is_replaced_by_a_later_attempt_also_when_all_is_answered() -> None:
    known = account(at(1, 1, complete=True))
    known.take_outcome(outcome(failed=True, attempt=1), AT)
    assert known.totals == ProgressTotals(files=1, files_done=1, chunks=1, answered=1, failed=1)
    assert list(known.failures(ID)) == [(0, "refused")]
    for attempt in (1, 0):
        known.take_outcome(outcome(attempt=attempt), AT)
        assert known.totals.failed == 1
    for _ in range(2):
        known.take_outcome(outcome(attempt=2), AT)
        assert known.totals == ProgressTotals(files=1, files_done=1, chunks=1, answered=1, pairs=2)
    assert list(known.failures(ID)) == []


def test_an_index_beyond_the_last_chunk_is_no_outcome_of_a_chunk() -> None:
    """It costs no memory either, whatever it is."""
    tracemalloc.start()
    known = account()
    for index in (2**30, 2**31 - 1):
        known.take_outcome(outcome(index=index), AT)
    known.take_entry(at(1, 2, complete=True))
    known.take_outcome(outcome(index=2**31 - 2), AT)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (known.totals.backlog, known.answered(ID)) == (2, False)
    assert kept < 100_000


def test_the_indexes_of_a_document_that_is_answered_cost_nothing() -> None:
    known, outcomes = account(at(1, MANY, complete=True)), [outcome(index=index) for index in range(MANY)]
    tracemalloc.start()
    for each in outcomes:
        known.take_outcome(each, AT)
    gc.collect()  # Python keeps tuples for later
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert known.answered(ID)
    assert peak > 10_000
    assert kept < 5_000


steps = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 12), st.booleans()), max_size=12)


@given(steps, st.randoms(use_true_random=False))
def test_the_backlog_is_what_was_published_less_what_was_answered(moves: list, chance) -> None:
    """Chunks of one version after another are published, and answered in any order."""
    known, version, chunks, last = account(), 1, 0, None
    published: dict[int, set[int]] = defaultdict(set)
    waiting: list[tuple[int, int]] = []
    for more, answers, ends in moves:
        published[version] |= set(range(chunks, chunks + more))
        waiting += [(version, index) for index in range(chunks, chunks + more)]
        chunks += more
        last = at(version, chunks, complete=ends, before=last)
        known.take_entry(last)
        chance.shuffle(waiting)
        for _ in range(min(answers, len(waiting))):
            of, index = waiting.pop()
            known.take_outcome(outcome(version=of, index=index), AT)
        assert known.totals.backlog == len(waiting)
        if ends:
            version, chunks = version + 1, 0


@given(steps, st.randoms(use_true_random=False))
def test_ledger_and_outcomes_may_come_in_any_order_to_each_other(moves: list, chance) -> None:
    """Whatever comes first, the counts in the end are those of the newest edition."""
    entries, outcomes, version, chunks, last = [], [], 1, 0, None
    answered: dict[int, set[int]] = defaultdict(set)
    for more, answers, ends in moves:
        for index in chance.sample(range(chunks, chunks + more), min(answers, more)):
            outcomes.append(outcome(version=version, index=index))
            answered[version].add(index)
        chunks += more
        last = at(version, chunks, complete=ends, before=last)
        entries.append(last)
        if ends:
            version, chunks = version + 1, 0
    known, order = account(), [True] * len(entries) + [False] * len(outcomes)
    chance.shuffle(order)
    for is_entry in order:
        if is_entry:
            known.take_entry(entries.pop(0))
        else:
            known.take_outcome(outcomes.pop(0), AT)
    totals = known.totals
    if last is None:
        assert totals == ProgressTotals()
        return
    assert (totals.files, totals.chunks) == (1, last.chunks)
    assert totals.answered == len(answered[last.document.version])
    assert totals.pairs == 2 * totals.answered
    done = last.state is FileState.COMPLETE and totals.answered == totals.chunks
    assert (totals.files_done, known.answered(ID)) == (done, done)
    if last.complete:
        missing = last.complete.chunks - len(answered[last.complete.version])
        assert totals.waiting == (missing > 0)


def test_an_outcome_is_read_from_a_result_record() -> None:
    assert decode(OutcomeSummary, encode(outcome(index=3))) == outcome(index=3)
