"""Balance sheet over ledger, topics and disk: whether every chunk has its one outcome, and the disk has them all.

Exit code 0: all balances; 1: something differs, and it says what; 3: it balances, but dead letters wait for a replay.
Run it when the pipeline is at rest: what is under way counts as missing.
"""

import argparse
import asyncio
from collections.abc import Callable
from contextlib import aclosing, closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath

import orjson
from rich.console import Console

from configs import cli
from configs.errors import SettingsError
from configs.sections import KafkaSettings, ProducerSettings
from consumer.dataset.errors import NothingThereError
from consumer.dataset.verify.balance import Balance, Difference, show
from consumer.dataset.verify.census import Census
from consumer.dataset.verify.input_files import InputFiles
from ledger.promise import Promise, promise_of
from messaging.reading import count_partitions, read_to_end
from messaging.topics import cluster_id
from output.formats.derived import Derived
from output.formats.registry import chosen_formats, readable_formats
from output.index.intake import add_whole_ledger, catch_up
from output.index.tables import Index
from output.layout import Layout, layout_of
from output.manifest import Manifest, check_owner, read_manifest
from output.names import document_name, document_path
from output.run import broker_of_run
from output.segments.lookup import SegmentFiles
from output.segments.records import iter_records
from output.segments.snapshot import snapshot
from output.share import ALL, Share
from schemas import Chunk, DeadLetter, DecodeError, Document, ReplayMarker, Status, TopicNames, decode
from schemas.ids import record_id
from telemetry.logs import configure_logs

PATIENCE_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    cli.add_settings(parser, "output_dir", "input_dir", "source", "formats", *cli.REACH)


def main(args: argparse.Namespace) -> int:
    settings = cli.settings_from(args)
    layout, input_dir = layout_of(settings.sink.output_dir), settings.producer.input_dir
    if input_dir is not None and not input_dir.is_dir():
        raise SettingsError(f"--input-dir {input_dir}: no such directory")
    configure_logs(settings.telemetry, process="verify")
    kafka = broker_of_run(settings.kafka, layout.root)
    balance = asyncio.run(verify(kafka, settings.producer, layout, settings.sink.formats))
    if args.json:
        print(orjson.dumps(balance.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        show(balance, Console())
    if not balance.balanced:
        return 1
    return cli.DEAD_LETTERS if balance.dead_letters else 0


async def verify(kafka: KafkaSettings, producer: ProducerSettings, layout: Layout, formats: tuple[str, ...]) -> Balance:
    """Raises SettingsError for a source that the ledger does not know, NothingThereError, OutputMismatchError,
    SegmentsError, TopicMissingError, BrokerUnreachableError.
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
            async with aclosing(read_to_end(kafka, names.files)) as records:
                await add_whole_ledger(index, records, lambda _: True)
            _check_documents(DocumentFiles(layout, picture, manifest, formats), index, balance, scope)
            _check_input(producer, index, balance)
        _count_disk(picture, names, census)
        await _count_topics(kafka, names, census, scope)
        _check_records(census, balance)
    return balance


@dataclass(frozen=True, slots=True)
class Scope:
    """What the directory's sinks write: those partitions of qa.results, and the documents whose results they have."""

    share: Share
    owns: Callable[[str], bool]


async def _scope(kafka: KafkaSettings, names: TopicNames, share: Share) -> Scope:
    if share.numbers is None:
        return Scope(ALL, ALL.documents(0))
    count = await count_partitions(kafka, names.results, patience_s=PATIENCE_S)
    share = ALL if len(share.numbers) == count else share
    return Scope(share, share.documents(count))


def _check_documents(files: "DocumentFiles", index: Index, balance: Balance, scope: Scope) -> None:
    """Every promised chunk has an outcome; every promised document is on disk as its outcomes say."""
    unanswered = Difference("chunks of complete documents have no outcome on disk")
    wrong = Difference("document files are missing, or not what the segments say")
    forgotten = Difference("documents are forgotten, but their files are still there")
    for entry in index.ledger.entries():
        if not scope.owns(entry.document.id):
            continue
        balance.documents += 1
        promise = promise_of(entry)
        if promise is None:
            if files.has_any(entry.document):  # only `forget` ends a promise; later entries may hide its own
                forgotten.add(entry.document.path)
            continue
        _add_outcomes(promise, index, balance)
        if index.outcomes.answers(promise).chunks < promise.chunks:
            unanswered.add(entry.document.path, count=promise.chunks - index.outcomes.answers(promise).chunks)
        elif files.has(promise, index):
            balance.documents_complete += 1
        else:
            wrong.add(entry.document.path)
    balance.note(unanswered)
    balance.note(wrong)
    balance.note(forgotten)


def _add_outcomes(promise: Promise, index: Index, balance: Balance) -> None:
    statuses = index.outcomes.statuses(promise)
    balance.chunks += promise.chunks
    balance.ok += statuses.get(Status.OK, 0)
    balance.empty += statuses.get(Status.EMPTY, 0)
    balance.failed += statuses.get(Status.FAILED, 0)
    balance.pairs += index.outcomes.describe(promise, None).pairs


@dataclass(frozen=True, slots=True)
class DocumentFiles:
    """documents/ and parquet/ of an output directory, against what its segments say."""

    layout: Layout
    picture: Layout
    manifest: Manifest
    formats: tuple[str, ...]

    def has(self, promise: Promise, index: Index) -> bool:
        """Whether the document's files are there as they should be; always, where none are written."""
        name = self._name(promise.document)
        return all(self._is_current(kind, name, promise, index) for kind in chosen_formats(self.formats))

    def has_any(self, document: Document) -> bool:
        """Whether there is a file of the document, in any format."""
        name = self._name(document)
        found = (kind.promise_in(document_path(self.layout, kind, name)) for kind in readable_formats())
        return any(promise is not None and promise.document.id == document.id for promise in found)

    def _is_current(self, kind: Derived, name: PurePosixPath, promise: Promise, index: Index) -> bool:
        path = document_path(self.layout, kind, name)
        found = kind.promise_in(path)
        if found is None:
            return False
        if promise.encoding is None:  # the ledger may not tell that of an earlier version
            promise = promise.model_copy(update={"encoding": found.encoding})
        with SegmentFiles(self.picture.results) as segments:
            return kind.is_current(path, promise, index, segments)

    def _name(self, document: Document) -> PurePosixPath:
        return document_name(document, first_source=self.manifest.first_source)


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


def _count_disk(picture: Layout, names: TopicNames, census: Census) -> None:
    for record in iter_records(picture.root, topic=names.results):
        census.add("disk", *_identified(record.value))


async def _count_topics(kafka: KafkaSettings, names: TopicNames, census: Census, scope: Scope) -> None:
    async with aclosing(read_to_end(kafka, names.results)) as results:
        async for record in results:
            if scope.share.has(record.partition):
                census.add("topic", *_identified(record.value))
    async with aclosing(read_to_end(kafka, names.chunks)) as chunks:
        async for record in chunks:
            _count_chunk(record.value, census, scope)
    async with aclosing(read_to_end(kafka, names.dead_letters)) as letters:
        async for record in letters:
            _count_letter(record.value, census)


def _identified(value: bytes | None) -> tuple[str, bytes]:
    """A record's id, or one made of its bytes where it is no result, and the digest of these."""
    digest = sha256(value or b"").digest()
    try:
        return str(orjson.loads(value or b"")["record_id"]), digest
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return f"undecodable {digest.hex()}", digest


def _count_chunk(value: bytes | None, census: Census, scope: Scope) -> None:
    """What is no chunk gets a letter and no result."""
    try:
        chunk = decode(Chunk, value)
    except DecodeError:
        return
    if scope.owns(chunk.document.id):
        census.add("chunks", record_id(chunk.chunk_id, chunk.generation, chunk.attempt))


def _count_letter(value: bytes | None, census: Census) -> None:
    try:
        census.add_letter(decode(DeadLetter, value).letter_id)
    except DecodeError:
        try:
            census.add_replay(decode(ReplayMarker, value).letter_id)
        except DecodeError:
            census.add_letter(f"undecodable {sha256(value or b'').hexdigest()}")


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
