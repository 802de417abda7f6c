"""Makes the balance sheet: documents and files against the ledger, then records on disk against the topics."""

from contextlib import aclosing, closing

from configs.sections import KafkaSettings, ProducerSettings
from consumer.dataset.errors import NothingThereError
from consumer.dataset.verify.balance import Balance, Difference
from consumer.dataset.verify.census import Census
from consumer.dataset.verify.document_files import DocumentFiles
from consumer.dataset.verify.input_files import InputFiles
from consumer.dataset.verify.records import Scope, count_disk, count_topics
from ledger.promise import Promise, promise_of
from messaging.connection import PATIENCE_S
from messaging.messages import read_messages
from messaging.reading import count_partitions
from messaging.topics import cluster_id
from output.index.intake import add_ledger, catch_up
from output.index.tables import Index
from output.layout import Layout
from output.manifest import check_owner, read_manifest
from output.segments.snapshot import snapshot
from output.share import ALL, Share
from schemas import LedgerEntry, Status, TopicNames


async def verify(kafka: KafkaSettings, producer: ProducerSettings, layout: Layout, formats: tuple[str, ...]) -> Balance:
    """Returns the balance sheet of an output directory; `formats` are the formats of its documents.

    Raises SettingsError for a source that the ledger does not know, NothingThereError, OutputMismatchError,
    SegmentsError, TopicMissingError and BrokerUnreachableError.
    """
    manifest = read_manifest(layout.manifest)
    if manifest is None:
        raise NothingThereError(f"{layout.root}: no sink has written here")
    cluster = await cluster_id(kafka, patience_s=PATIENCE_S)
    check_owner(layout.manifest, manifest, cluster_id=cluster, namespace=kafka.namespace)
    names, share = TopicNames(kafka.namespace), Share.union(sink.share for sink in layout.sinks())
    scope = await _scope(kafka, names, share)
    balance = Balance(partitions=str(scope.share))
    with snapshot(layout) as picture, closing(Census(picture.home / "census.sqlite")) as census:
        with closing(Index(picture.index)) as index:
            await catch_up(picture, names.results, index)
            async with aclosing(read_messages(kafka, names.files, LedgerEntry)) as messages:
                entries = ((record.partition, record.offset, entry) async for record, entry in messages)
                await add_ledger(index, entries, lambda _: True)
            _check_documents(DocumentFiles(layout, picture, manifest, formats), index, balance, scope)
            _check_input(producer, index, balance)
        count_disk(picture, names, census)
        await count_topics(kafka, names, census, scope)
        _check_records(census, balance)
    return balance


async def _scope(kafka: KafkaSettings, names: TopicNames, share: Share) -> Scope:
    if share.numbers is None:
        return Scope(ALL, ALL.documents(0))
    count = await count_partitions(kafka, names.results, patience_s=PATIENCE_S)
    share = ALL if len(share.numbers) == count else share
    return Scope(share, share.documents(count))


def _check_documents(files: DocumentFiles, index: Index, balance: Balance, scope: Scope) -> None:
    """Checks that promised chunks have outcomes, and that the files of complete documents have the same."""
    unanswered = Difference("chunks of complete documents have no outcome on disk")
    wrong = Difference("document files are missing, or not what the segments say")
    forgotten = Difference("documents are forgotten, but their files are still there")
    for entry in index.ledger.entries():
        if not scope.owns(entry.document.id):
            continue
        balance.documents += 1
        promise = promise_of(entry)
        if promise is None:
            if files.has_any(entry.document):  # only `forget` ends a promise; compaction may have removed its entry
                forgotten.add(entry.document.path)
            continue
        _add_outcomes(promise, index, balance)
        if not promise.is_kept(index.outcomes.answers(promise).chunks):
            unanswered.add(entry.document.path, count=promise.chunks - index.outcomes.answers(promise).chunks)
        elif files.has(promise, index):
            balance.documents_complete += 1
        else:
            wrong.add(entry.document.path)
    for difference in (unanswered, wrong, forgotten):
        balance.note(difference)


def _add_outcomes(promise: Promise, index: Index, balance: Balance) -> None:
    statuses = index.outcomes.statuses(promise)
    balance.chunks += promise.chunks
    balance.ok += statuses.get(Status.OK, 0)
    balance.empty += statuses.get(Status.EMPTY, 0)
    balance.failed += statuses.get(Status.FAILED, 0)
    balance.pairs += index.outcomes.describe(promise, None).pairs


def _check_input(producer: ProducerSettings, index: Index, balance: Balance) -> None:
    if producer.input_dir is None:
        return
    files = InputFiles(producer.input_dir, producer.source)
    for entry in index.ledger.entries():
        files.add(entry)
    files.check_source()
    for difference in (files.gone, files.changed, files.unpublished):
        balance.note(difference)
    balance.files_not_in_ledger = files.unknown()


def _check_records(census: Census, balance: Balance) -> None:
    balance.records_on_topic = census.total("topic")
    balance.records_on_disk = census.total("disk")
    balance.dead_letters = census.unreplayed()
    balance.expect("records are on the topic more than once", census.doubled("topic"))
    balance.expect("records are on disk more than once", census.doubled("disk"))
    balance.expect("records of the topic are not on disk", census.missing("topic", "disk"))
    balance.expect("records on disk are not on the topic", census.missing("disk", "topic"))
    balance.expect("records differ between topic and disk", census.different("topic", "disk"))
    balance.expect("chunks were published more than once", census.doubled("chunks"))
    balance.expect("chunks have no outcome on the topic", census.missing("chunks", "topic"))
    balance.expect("outcomes on the topic have no chunk", census.missing("topic", "chunks"))
