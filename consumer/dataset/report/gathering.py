"""Calculates the numbers of a report in one pass over the outcomes that count."""

from collections import Counter
from datetime import UTC, datetime

from consumer.dataset.outcomes import all_entries, all_written, iter_outcomes, open_indexes
from consumer.dataset.report.numbers import DocumentNumbers, Report, Unfinished
from consumer.dataset.report.tally import NAMED, Prices, ReportTally
from ledger.promise import promise_of
from output.index.tables import Index
from output.layout import Layout
from output.segments.lookup import SegmentFiles
from schemas import FileState, LedgerEntry


def gather(layout: Layout, *, seed: int = 0, prices: Prices | None = None) -> Report:
    """Returns the report about an output directory. Raises NothingThereError and DatasetError."""
    tally = ReportTally(seed=seed)
    with open_indexes(layout) as indexes, SegmentFiles(layout.results) as files:
        documents = _count_documents(indexes, files, tally)
    return Report(
        output_dir=layout.root.absolute().name, made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        documents=documents, chunks=tally.chunks(), plan_is_known=tally.plan_is_known,
        pairs=tally.types.all(), types=tally.types.each(), languages=tally.languages.each(),
        rejections=dict(tally.rejections.most_common()), scores=tally.scores(), lengths=tally.lengths(),
        usage=tally.usage_numbers(prices), slowest=tuple(tally.slowest), made_with=tally.made_with(),
        sample=tally.sample(), rejected_sample=tally.rejected_sample(),
    )  # fmt: skip


def _count_documents(indexes: list[Index], files: SegmentFiles, tally: ReportTally) -> DocumentNumbers:
    complete = with_failed = 0
    for index, written in all_written(indexes):
        complete, with_failed = complete + 1, with_failed + bool(written.failed)
        for _, result in iter_outcomes(index, files, written.promise):
            tally.take(result)
        tally.end_document(written.promise.document.path)
    states, named = Counter[str](), list[Unfinished]()
    for index, entry in all_entries(indexes):
        if (unfinished := _unfinished(index, entry)) is not None:
            states[unfinished.state] += 1
            named = [*named, unfinished][:NAMED]
    return DocumentNumbers(
        complete=complete, with_failed_chunks=with_failed, unfinished=tuple(named),
        waiting=states["waiting"], reading=states["reading"], rejected=states["rejected"],
    )  # fmt: skip


def _unfinished(index: Index, entry: LedgerEntry) -> Unfinished | None:
    """Tells what the newest version of a document lacks; None where it is complete."""
    path = entry.document.path
    if entry.state is FileState.REJECTED:
        return Unfinished(document=path, state="rejected", reason=entry.reason or "")
    if entry.state is FileState.PUBLISHING:
        return Unfinished(document=path, state="reading", chunks=entry.chunks)
    promise, written = promise_of(entry), index.documents.written(entry.document.id)
    if promise is None or (written is not None and written.promise.age >= promise.age):
        return None
    answered = index.outcomes.answers(promise).chunks
    return Unfinished(document=path, state="waiting", answered=answered, chunks=promise.chunks)
