import random

from hypothesis import given
from hypothesis import strategies as st

from ledger.account import ProgressTotals
from ledger.outcome import OutcomeChunk, OutcomeDocument, OutcomeSummary, ResultPosition
from ledger.progress import Progress
from schemas import CompleteVersion, Document, FileState, LedgerEntry, OutcomeError, Status, Usage
from schemas.ids import digest, document_id
from schemas.messages import now

POSITION = ResultPosition(0, 0)


def entry(path="a.txt", *, version=1, generation=0, state=FileState.COMPLETE, chunks=0, complete=None, reason=None):
    return LedgerEntry(
        document=Document(id=document_id("s", path), source="s", path=path, version=version),
        generation=generation,
        state=state,
        sha256="0" * 64 if state is FileState.COMPLETE else None,
        size_bytes=1,
        mtime_ns=1,
        splitter=digest("splitter"),
        chunks=chunks,
        complete=complete,
        reason=reason,
        updated_at=now(),
    )


def completed(version, *, generation=0, chunks):
    return CompleteVersion(
        version=version,
        generation=generation,
        chunks=chunks,
        characters=1,
        size_bytes=1,
        sha256="0" * 64,
        splitter=digest("splitter"),
    )


def outcome(path="a.txt", *, version=1, generation=0, index=0, status=Status.OK, attempt=0, pairs=2, calls=1):
    return OutcomeSummary(
        status=status,
        document=OutcomeDocument(id=document_id("s", path), source="s", path=path, version=version),
        chunk=OutcomeChunk(index=index),
        generation=generation,
        attempt=attempt,
        pairs=tuple(range(pairs)) if status is Status.OK else (),
        usage=Usage(calls=calls, cached_calls=1 - calls),
        error=OutcomeError(error_class="refused", message="no") if status is Status.FAILED else None,
    )


def fed(*records, fresh=True):
    progress = Progress()
    for record in records:
        progress.take_entry(record) if isinstance(record, LedgerEntry) else progress.take_outcome(
            record, POSITION, fresh=fresh
        )
    return progress


def test_nothing_is_waited_for_before_anything_is_published():
    assert fed().totals.waiting == 0


def test_a_complete_file_waits_for_each_of_its_chunks():
    assert fed(entry(chunks=2), outcome(index=1)).totals.waiting
    assert fed(entry(chunks=2), outcome(index=1), outcome(index=0)).totals.waiting == 0


def test_a_file_without_text_is_done_at_once():
    assert fed(entry(chunks=0)).totals == ProgressTotals(files=1, files_done=1)


def test_a_file_being_published_is_shown_but_not_waited_for():
    progress = fed(entry(state=FileState.PUBLISHING, chunks=3), outcome())
    assert progress.totals == ProgressTotals(files=1, chunks=3, answered=1, pairs=2, backlog=2, calls=1)
    assert progress.totals.waiting == 0


def test_while_a_new_version_is_published_the_old_one_is_still_waited_for():
    publishing = entry(version=2, state=FileState.PUBLISHING, chunks=1, complete=completed(1, chunks=2))
    assert fed(publishing, outcome(version=1)).totals.waiting


def test_answers_to_an_older_version_count_for_nothing():
    progress = fed(outcome(version=1), entry(version=2, chunks=1), outcome(version=1, index=1))
    assert progress.totals.answered == 0
    assert progress.totals.waiting


def test_a_newer_generation_is_waited_for_again():
    progress = fed(entry(chunks=1), outcome(), entry(generation=1, chunks=1))
    assert progress.totals.waiting
    progress.take_outcome(outcome(generation=1), POSITION, fresh=True)
    assert progress.totals.waiting == 0


def test_failed_chunks_and_rejected_files_are_named():
    rejected = entry("b.txt", state=FileState.REJECTED, reason="not text")
    progress = fed(entry(chunks=2), outcome(index=0), outcome(index=1, status=Status.FAILED), rejected)
    assert list(progress.failures()) == ["a.txt, chunk 1: refused", "b.txt: not text"]
    assert progress.totals.failed == 1
    assert progress.totals.waiting == 0


def test_a_replayed_chunk_is_no_failure_any_more_and_counts_once():
    progress = fed(entry(chunks=1), outcome(status=Status.FAILED), outcome(attempt=1))
    assert list(progress.failures()) == []
    assert (progress.totals.answered, progress.totals.pairs) == (1, 2)


def test_a_forgotten_file_is_gone():
    progress = fed(entry(chunks=1), entry(state=FileState.FORGOTTEN, complete=completed(1, chunks=1)))
    assert progress.totals == ProgressTotals()


def test_a_vanished_file_keeps_its_results():
    progress = fed(entry(state=FileState.VANISHED, complete=completed(1, chunks=1)), outcome())
    assert progress.totals.files_done == 1


def test_calls_count_only_in_the_run_that_made_them():
    assert fed(entry(chunks=1), outcome(), fresh=False).totals.calls == 0


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 20), min_size=1), st.randoms(use_true_random=False))
def test_the_order_between_ledger_and_outcomes_does_not_matter(sizes: dict[str, int], rng: random.Random):
    entries = [entry(path, chunks=size) for path, size in sizes.items()]
    outcomes = [outcome(path, index=index) for path, size in sizes.items() for index in range(size)]
    records = entries + outcomes
    rng.shuffle(records)
    chunks = sum(sizes.values())
    assert fed(*records).totals == ProgressTotals(
        files=len(sizes), files_done=len(sizes), chunks=chunks, answered=chunks, pairs=2 * chunks, calls=chunks
    )


@given(st.sets(st.integers(0, 40)))
def test_it_is_answered_when_and_only_when_no_index_is_missing(indexes: set[int]):
    progress = fed(entry(chunks=41), *(outcome(index=index) for index in indexes))
    assert (progress.totals.waiting == 0) == (indexes == set(range(41)))
