"""Wires the watcher, ends it in order, and gives it a new Kafka producer after an error of the old one."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from configs.errors import SettingsError
from configs.sections import ProducerSettings
from configs.settings import Settings
from ledger.account import Account
from ledger.needs import Rules
from ledger.outcome import OutcomeSummary, ResultPosition
from messaging.follow import keep_following
from messaging.messages import decoded, ignore
from messaging.pulse import feeling
from messaging.record import Record
from messaging.roles import Role
from messaging.stopping import end
from messaging.topics import cluster_id, ensure_topics
from producer.alarm import Alarm
from producer.done import Done
from producer.errors import PublishError
from producer.files.directory import Directory
from producer.files.paths import PathFilter
from producer.files.source import Source
from producer.observing import Observer
from producer.publishing.ledger_topic import load_ledger
from producer.publishing.on_disk import OnDisk
from producer.publishing.publication import Publication
from producer.publishing.requests import load_requests
from producer.publishing.transactions import Publisher, started_producer
from producer.text.decode import check_encoding
from producer.text.measure import Characters, load_tokens
from producer.text.splitting import Sizes, splitter_hash
from producer.watcher import Parts, PublishingTally, Watcher
from schemas import TopicNames
from schemas.paths import source_name
from telemetry.metrics import ProducerMetrics
from telemetry.telemetry import START, Telemetry, open_telemetry

GRACE_S = 5.0
"""Seconds that a stopping process gives its open transaction. After that Kafka aborts it."""
RETRY_S = 2.0
log = logging.getLogger(__name__)


async def run(settings: Settings, alarm: Alarm, *, once: bool, only: frozenset[str] | None = None) -> PublishingTally:
    """Publishes the files of the directory, and without `once` all later ones, until the alarm says stop.

    `only`, with `once`: the paths of the documents to publish. Raises SettingsError, FencedError and other
    QAStreamErrors that last.
    """
    async with open_telemetry(settings.telemetry, ProducerMetrics, process="producer") as telemetry:
        working = asyncio.create_task(_work(make_parts(settings, alarm, telemetry, once=once, only=only), telemetry))
        stop = asyncio.create_task(alarm.wait_for_stop())
        try:
            await asyncio.wait((working, stop), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((working,), timeout=GRACE_S)
        finally:
            stop.cancel()
            working.cancel()
            await asyncio.wait((working,))
        return PublishingTally() if working.cancelled() else working.result()


def make_parts(
    settings: Settings,
    alarm: Alarm,
    telemetry: Telemetry[ProducerMetrics],
    *,
    once: bool,
    only: frozenset[str] | None = None,
) -> Parts:
    options, output_dir = settings.producer, settings.sink.output_dir
    if options.input_dir is None:
        raise SettingsError("--input-dir is needed: the directory to watch")
    check_encoding(options.encoding)
    files = Directory(options.input_dir, PathFilter(include=options.include, exclude=options.exclude))
    if only is None:
        _check_done(options, output_dir, files)
    source = options.source or source_name(options.input_dir)
    sizes, names = _sizes(options), TopicNames(settings.kafka.namespace)
    rules = Rules(splitter_hash(sizes, encoding=options.encoding), options.max_file_bytes)
    publication = Publication(
        files=files, source=source, rules=rules, sizes=sizes, encoding=options.encoding,
        stopping=lambda: alarm.stopping,
    )  # fmt: skip
    return Parts(
        kafka=settings.kafka, options=options, output_dir=output_dir, observed=bool(settings.telemetry.metrics_port),
        files=files, names=names, publication=publication, alarm=alarm, once=once, only=only,
        observer=Observer(telemetry, names),
    )  # fmt: skip


def _sizes(options: ProducerSettings) -> Sizes:
    if bool(options.chunk_tokens) != bool(options.tokenizer):
        raise SettingsError("--chunk-tokens and --tokenizer, which counts them, go together")
    measure = load_tokens(options.tokenizer) if options.chunk_tokens else Characters()
    return Sizes(size=options.chunk_tokens or options.chunk_size, overlap=options.chunk_overlap, measure=measure)


def _check_done(options: ProducerSettings, output_dir: Path | None, files: Source) -> None:
    if options.on_done != "keep" and output_dir is None:
        raise SettingsError(
            f"--on-done {options.on_done} needs --output-dir, the sink's directory on this machine or on a mount: "
            "it says there which results are on disk"
        )
    if (options.on_done == "move") != (options.done_dir is not None):
        raise SettingsError("--on-done move and --done-dir, where files are moved to, go together")
    if options.done_dir and files.holds(options.done_dir):
        raise SettingsError(
            f"--done-dir {options.done_dir} lies in --input-dir: files moved there would be read again. "
            "Choose a directory beside it"
        )


async def _work(parts: Parts, telemetry: Telemetry[ProducerMetrics]) -> PublishingTally:
    """Watches with one Kafka producer after another: a failed transaction ends a producer, not the watching."""
    paced = _needs_outcomes(parts)
    tally = PublishingTally()
    async with AsyncExitStack() as stack:
        telemetry.health.check(
            "kafka", (await stack.enter_async_context(feeling(parts.kafka, watched=parts.observed))).trouble
        )
        await ensure_topics(parts.kafka, role=Role.PACED_PRODUCER if paced else Role.PRODUCER)
        telemetry.health.note(START, None)
        if not parts.once:
            _beside(stack, parts.files.watch(parts.alarm.ring, retry_s=parts.options.scan_interval_s))
        parts = await _with_outcomes(parts, stack)
        if parts.account:
            telemetry.metrics.unfinished.set_function(lambda: parts.account.totals.backlog if parts.account else 0)
        while not parts.alarm.stopping:
            try:
                await _watch(parts, tally)
            except PublishError as exc:
                if exc.lasting:
                    raise
                log.warning("%s; starting again from the ledger on Kafka", exc)
                await parts.alarm.pause(RETRY_S, least_s=RETRY_S)
            else:
                return tally
    return tally


async def _watch(parts: Parts, tally: PublishingTally) -> None:
    """Watches with one Kafka producer, from the ledger as Kafka has it."""
    kafka, source = parts.kafka, parts.publication.source
    async with AsyncExitStack() as stack:
        producer = await stack.enter_async_context(started_producer(kafka, source))
        ledger = await load_ledger(kafka, source)
        if parts.account:
            for entry in ledger.entries():
                parts.account.take_entry(entry)
        requests = await load_requests(kafka, source, ring=parts.alarm.call)
        # With --once too: a command whose request nobody takes up fences this producer.
        _beside(stack, keep_following(kafka, parts.names.requests, requests.take, start=requests.following))
        await Watcher(parts, Publisher(producer, ledger), tally, requests).watch()


def _needs_outcomes(parts: Parts) -> bool:
    """Tells whether outcomes are read. A command that publishes some paths neither waits nor puts files away."""
    options = parts.options
    return parts.only is None and bool(options.max_backlog or options.on_done != "keep" or parts.observed)


async def _with_outcomes(parts: Parts, stack: AsyncExitStack) -> Parts:
    """Returns the parts with the account that --max-backlog, --on-done and the metrics need, if they are asked for."""
    kafka, options = parts.kafka, parts.options
    if not _needs_outcomes(parts):
        return parts
    account = Account(parts.publication.source)

    def take(record: Record) -> None:
        outcome = decoded(OutcomeSummary, record, undecodable=ignore)  # the sink reports records that are no outcomes
        if outcome is not None:
            account.take_outcome(outcome, ResultPosition(record.partition, record.offset))

    _beside(stack, keep_following(kafka, parts.names.results, take))
    if options.on_done == "keep" or parts.output_dir is None:
        return replace(parts, account=account)
    cluster = await cluster_id(kafka)
    on_disk = OnDisk(parts.output_dir, cluster_id=cluster, namespace=kafka.namespace)
    done = Done(options.on_done, files=parts.files, folder=options.done_dir, account=account, on_disk=on_disk)
    return replace(parts, account=account, done=done)


def _beside(stack: AsyncExitStack, work: Coroutine[None, None, None]) -> None:
    """Runs `work` until the stack ends."""
    stack.push_async_callback(end, asyncio.create_task(work))
