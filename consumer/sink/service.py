"""The sink as it runs: results to segments, at once; documents and merges behind them, in turns on the same loop."""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from configs.sections import KafkaSettings, SinkSettings
from configs.settings import Settings
from consumer.sink.documents import Documents
from consumer.sink.errors import StartOverError
from consumer.sink.merging import merge_segments
from consumer.sink.observer import SinkObserver, watch_disk
from consumer.sink.recovery import open_index, remove_covered, remove_index, remove_superseded, remove_temporary
from consumer.sink.segment_writer import SegmentWriter
from consumer.sink.topic_reader import Lasts, TopicReader, open_reader
from messaging.connection import BrokerUnreachableError
from messaging.pulse import feeling
from messaging.reading import count_partitions
from messaging.record import Record
from messaging.roles import Role
from messaging.stopping import StoppedError, unless_stopped
from messaging.topics import cluster_id, ensure_topics
from output.durable import is_room_problem
from output.errors import IndexDamagedError, OutputError
from output.formats.registry import chosen_formats
from output.index.intake import add_ledger_records, add_segment_file, catch_up
from output.index.tables import Index
from output.layout import Layout
from output.manifest import Manifest, claim
from output.segments.naming import Segment, next_offsets
from output.segments.records import last_value
from output.sink_state import SinkStateFile
from schemas import TopicNames
from telemetry.metrics import SinkMetrics
from telemetry.telemetry import START, Telemetry, open_telemetry, unseen

POLL_S = 0.2
RETRY_S = 1.0
REMIND_S = 30.0
log = logging.getLogger(__name__)


async def run_sink(settings: Settings, layout: Layout, stop: asyncio.Event) -> None:
    """Until `stop`; then all that was read is on disk. Raises SinkError and TopicError."""
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(open_telemetry(settings.telemetry, SinkMetrics, process="sink"))
        telemetry.health.check(
            "kafka",
            (
                await stack.enter_async_context(feeling(settings.kafka, watched=bool(settings.telemetry.metrics_port)))
            ).trouble,
        )
        stack.enter_context(suppress(StoppedError))
        await unless_stopped(ensure_topics(settings.kafka, role=Role.SINK), stop)
        cluster = await unless_stopped(cluster_id(settings.kafka), stop)

        async def one_life() -> None:
            await serve(settings.kafka, settings.sink, layout, stop, cluster=cluster, telemetry=telemetry)

        await persistently(one_life, layout, stop, telemetry)
    log.info("sink has stopped")


async def persistently(
    work: Callable[[], Awaitable[None]],
    layout: Layout,
    stop: asyncio.Event,
    telemetry: Telemetry[SinkMetrics] | None = None,
) -> None:
    """`work` from its start again after each trouble that passes: no room on the disk, a damaged index, a broker away.

    A start finds what is on disk, as after a crash; there is no other way of recovery.
    """
    reminded = -REMIND_S
    telemetry = telemetry or unseen(SinkMetrics)
    while True:
        try:
            await work()
        except IndexDamagedError as exc:
            log.warning("the index is built again: %s", exc)
            remove_index(layout.index)
        except (StartOverError, BrokerUnreachableError, KafkaError, ConnectionError, TimeoutError) as exc:
            log.warning("reading starts over: %r", exc)
        except (OSError, sqlite3.OperationalError) as exc:
            if not _may_pass(exc):
                raise OutputError(f"{layout.root} can't be written: {exc}") from exc
            if time.monotonic() - reminded >= REMIND_S:
                log.error(  # noqa: TRY400 - the trace says nothing more
                    "can't write to %s: %s. Waiting; make room and the sink goes on by itself", layout.root, exc
                )
                reminded = time.monotonic()
            telemetry.health.note("disk", str(exc.strerror if isinstance(exc, OSError) else exc))
        else:
            return
        telemetry.metrics.starts_over.inc()
        await unless_stopped(asyncio.sleep(RETRY_S), stop)


async def serve(
    kafka: KafkaSettings,
    options: SinkSettings,
    layout: Layout,
    stop: asyncio.Event,
    *,
    cluster: str,
    telemetry: Telemetry[SinkMetrics],
) -> None:
    """One life of the sink: what it finds, what comes, and on `stop` its end in order."""
    names = TopicNames(kafka.namespace)
    async with AsyncExitStack() as stack:
        manifest, owns = await unless_stopped(claimed(kafka, layout, cluster), stop)
        remove_temporary(layout)
        index = open_index(layout.index)
        stack.callback(index.close)
        present = await catch_up(layout, names.results, index)
        remove_covered(layout, names.results, present)
        documents = Documents(layout, index, manifest, formats=chosen_formats(options.formats))
        documents.find_missing()
        following = next_offsets(present)
        starts = {names.results: following, names.files: index.ledger.offsets()}
        lasts, shares = _lasts(layout, names.results, present), {names.results: layout.share}
        opening = stack.enter_async_context(open_reader(kafka, starts, lasts, shares))
        source = await unless_stopped(opening, stop)
        observer = SinkObserver(telemetry, layout.results)
        watch_disk(telemetry.metrics, layout.root)
        sink = Sink(
            names,
            options,
            layout=layout,
            index=index,
            documents=documents,
            source=source,
            following=following,
            observer=observer,
            owns=owns,
        )
        for name in (START, "disk"):
            telemetry.health.note(name, None)
        stack.callback(sink.writer.discard_all)
        await sink.run(stop)


async def claimed(kafka: KafkaSettings, layout: Layout, cluster: str) -> tuple[Manifest, Callable[[str], bool]]:
    """The output directory with its manifest, for our share; and which documents are ours.

    Raises SettingsError for partitions that are not there, OutputError, TopicMissingError and KafkaError.
    """
    topic, share, count = TopicNames(kafka.namespace).results, layout.share, 0
    if share.numbers is not None:
        count = await count_partitions(kafka, topic)
        share.check(topic, count)
    layout.make()
    manifest = claim(layout.manifest, cluster_id=cluster, namespace=kafka.namespace, partitions=count)
    remove_superseded(layout)
    return manifest, share.documents(count)


class Sink:
    """Intake and upkeep. Both run on one loop and share the index; each leaves it whole at every await."""

    def __init__(
        self,
        names: TopicNames,
        options: SinkSettings,
        *,
        layout: Layout,
        index: Index,
        documents: Documents,
        source: TopicReader,
        following: dict[int, int],
        observer: SinkObserver,
        owns: Callable[[str], bool],
    ) -> None:
        """`owns` says of a document's id whether its results are read here."""
        self._names = names
        self._layout = layout
        self._index = index
        self._documents = documents
        self._source = source
        self._observer = observer
        self._owns = owns
        self._state_file = SinkStateFile(layout)
        self._limit_bytes = options.segment_bytes
        self._changed = asyncio.Event()
        self._changed.set()
        self.writer = SegmentWriter(
            layout,
            self._names.results,
            following=following,
            take=self._take_segment,
            max_age_s=options.segment_ms / 1000,
            max_bytes=options.segment_bytes,
            clock=time.monotonic,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`, and then until all that was read is on disk."""
        upkeep = asyncio.create_task(self._upkeep())
        log.info(
            "sink is up",
            extra={
                "pid": os.getpid(),
                "output_dir": str(self._layout.root),
                "partitions": str(self._layout.share),
                "next_offsets": self.writer.following,
            },
        )
        try:
            while not stop.is_set():
                await self._turn(upkeep)
        finally:
            upkeep.cancel()
            await asyncio.gather(upkeep, return_exceptions=True)
        self._take(await self._source.poll(0))
        self.writer.close_all()
        await self._documents.write_due()
        await self._report(at_once=True)

    async def _turn(self, upkeep: asyncio.Task[None]) -> None:
        due_in_s = self.writer.due_in_s()
        self._take(await self._source.poll(POLL_S if due_in_s is None else min(POLL_S, due_in_s)))
        self.writer.close_due()
        await self._report(at_once=False)
        if upkeep.done():
            upkeep.result()

    def _take(self, records: list[Record]) -> None:
        for record in records:
            if record.topic == self._names.results:
                self._observer.took(record)
                self.writer.add(record)
        self._take_ledger([record for record in records if record.topic == self._names.files])

    def _take_ledger(self, records: list[Record]) -> None:
        if not records:
            return
        add_ledger_records(self._index, records, self._owns)
        self._changed.set()

    def _take_segment(self, segment: Segment) -> None:
        self._observer.wrote(segment)
        add_segment_file(self._layout, self._index, segment)
        self._changed.set()

    async def _upkeep(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._documents.write_due()
            await self._report(at_once=True)
            await merge_segments(self._layout, self._index, limit_bytes=self._limit_bytes)

    async def _report(self, *, at_once: bool) -> None:
        ledger = await self._source.positions(self._names.files)
        totals = self._index.totals()
        self._observer.reported(totals)
        self._state_file.update(totals, next_offsets=self.writer.following, ledger_offsets=ledger, at_once=at_once)


def _lasts(layout: Layout, topic: str, present: list[Segment]) -> Lasts:
    newest = {segment.partition: segment for segment in present}  # in the order of offsets: the last one stays
    return {TopicPartition(topic, number): last_value(layout.results, segment) for number, segment in newest.items()}


def _may_pass(exc: OSError | sqlite3.OperationalError) -> bool:
    if isinstance(exc, OSError):
        return is_room_problem(exc)
    return exc.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
