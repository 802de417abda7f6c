"""Runs the sink: it writes segments at once, and documents and merges in between on the same event loop."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from configs.sections import KafkaSettings, SinkSettings
from configs.settings import Settings
from consumer.sink.documents import Documents
from consumer.sink.merging import merge_segments
from consumer.sink.observing import SinkObserver, watch_disk
from consumer.sink.recovery import open_index, remove_covered, remove_superseded, remove_temporary
from consumer.sink.restarting import persistently
from consumer.sink.segment_writer import SegmentWriter
from consumer.sink.topic_reader import Lasts, TopicReader, open_reader
from messaging.messages import decoded
from messaging.pulse import feeling
from messaging.reading import count_partitions
from messaging.record import Record
from messaging.roles import Role
from messaging.stopping import StoppedError, unless_stopped
from messaging.topics import cluster_id, ensure_topics
from output.formats.registry import chosen_formats
from output.index.intake import add_segment_file, catch_up
from output.index.tables import Index
from output.layout import Layout
from output.manifest import Manifest, claim
from output.segments.naming import Segment, next_offsets
from output.segments.records import last_value
from output.sink_state import SinkStateFile
from schemas import LedgerEntry, TopicNames
from telemetry.metrics import SinkMetrics
from telemetry.telemetry import START, Telemetry, open_telemetry

POLL_S = 0.2
log = logging.getLogger(__name__)


async def run_sink(settings: Settings, layout: Layout, stop: asyncio.Event) -> None:
    """Writes results until `stop`; then everything that was read is on disk.

    Raises OutputError, ContinuityError, SettingsError and TopicError.
    """
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(open_telemetry(settings.telemetry, SinkMetrics, process="sink"))
        watched = bool(settings.telemetry.metrics_port)
        pulse = await stack.enter_async_context(feeling(settings.kafka, watched=watched))
        telemetry.health.check("kafka", pulse.trouble)
        stack.enter_context(suppress(StoppedError))
        await unless_stopped(ensure_topics(settings.kafka, role=Role.SINK), stop)
        cluster = await unless_stopped(cluster_id(settings.kafka), stop)

        async def one_life() -> None:
            await serve(settings.kafka, settings.sink, layout, stop, cluster=cluster, telemetry=telemetry)

        await persistently(one_life, layout, stop, telemetry)
    log.info("sink has stopped")


async def serve(
    kafka: KafkaSettings,
    options: SinkSettings,
    layout: Layout,
    stop: asyncio.Event,
    *,
    cluster: str,
    telemetry: Telemetry[SinkMetrics],
) -> None:
    """Runs one life of the sink: catches up with the disk, writes new results, and ends in order on `stop`."""
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
        opening = stack.enter_async_context(open_reader(kafka, starts, lasts, shares, cluster=cluster))
        reader = await unless_stopped(opening, stop)
        observer = SinkObserver(telemetry, layout.results)
        watch_disk(telemetry.metrics, layout.root)
        sink = Sink(names, options, layout, index, documents, reader, observer, following, owns)
        stack.callback(sink.writer.discard_all)
        for name in (START, "disk"):
            telemetry.health.note(name, None)
        await sink.run(stop)


async def claimed(kafka: KafkaSettings, layout: Layout, cluster: str) -> tuple[Manifest, Callable[[str], bool]]:
    """Claims the output directory for our share. Returns its manifest, and a function that tells our document ids.

    Raises SettingsError for partitions that the topic does not have, OutputError, TopicMissingError and KafkaError.
    """
    topic, share, count = TopicNames(kafka.namespace).results, layout.share, 0
    if share.numbers is not None:
        count = await count_partitions(kafka, topic)
        share.check(topic, count)
    layout.make()
    manifest = claim(layout.manifest, cluster_id=cluster, namespace=kafka.namespace, partitions=count)
    remove_superseded(layout)
    return manifest, share.documents(count)


@dataclass(slots=True)
class Sink:
    """Writes segments, and documents and merges as upkeep.

    Both run on one event loop and share the index; each leaves it consistent at every await. `following` has the next
    offset of qa.results by partition; `owns` tells by id which documents have their results in our share.
    """

    names: TopicNames
    options: SinkSettings
    layout: Layout
    index: Index
    documents: Documents
    reader: TopicReader
    observer: SinkObserver
    following: dict[int, int]
    owns: Callable[[str], bool]
    writer: SegmentWriter = field(init=False)
    _state_file: SinkStateFile = field(init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.writer = SegmentWriter(
            self.layout, self.names.results, following=self.following, take=self._take_segment,
            max_age_s=self.options.segment_ms / 1000, max_bytes=self.options.segment_bytes, clock=time.monotonic,
        )  # fmt: skip
        self._state_file = SinkStateFile(self.layout)
        self._changed.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop`, and then until everything that was read is on disk."""
        upkeep = asyncio.create_task(self._upkeep())
        place = {"output_dir": str(self.layout.root), "partitions": str(self.layout.share)}
        log.info("sink is up", extra={"pid": os.getpid(), **place, "next_offsets": self.writer.following})
        try:
            while not stop.is_set():
                await self._turn(upkeep)
        finally:
            upkeep.cancel()
            await asyncio.gather(upkeep, return_exceptions=True)
        self._take(await self.reader.poll(0))
        self.writer.close_all()
        await self.documents.write_due()
        await self._report(at_once=True)

    async def _turn(self, upkeep: asyncio.Task[None]) -> None:
        due_in_s = self.writer.due_in_s()
        self._take(await self.reader.poll(POLL_S if due_in_s is None else min(POLL_S, due_in_s)))
        self.writer.close_due()
        await self._report(at_once=False)
        if upkeep.done():
            upkeep.result()

    def _take(self, records: list[Record]) -> None:
        for record in records:
            if record.topic == self.names.results:
                self.observer.took(record)
                self.writer.add(record)
        if ledger := [record for record in records if record.topic == self.names.files]:
            entries = filter(None, (decoded(LedgerEntry, record) for record in ledger))
            ours = [entry for entry in entries if self.owns(entry.document.id)]
            self.index.add_entries(ours, {record.partition: record.offset + 1 for record in ledger})
            self._changed.set()

    def _take_segment(self, segment: Segment) -> None:
        self.observer.wrote(segment)
        add_segment_file(self.layout, self.index, segment)
        self._changed.set()

    async def _upkeep(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.documents.write_due()
            await self._report(at_once=True)
            await merge_segments(self.layout, self.index, limit_bytes=self.options.segment_bytes)

    async def _report(self, *, at_once: bool) -> None:
        ledger = await self.reader.positions(self.names.files)
        totals = self.index.totals()
        self.observer.reported(totals)
        self._state_file.update(totals, next_offsets=self.writer.following, ledger_offsets=ledger, at_once=at_once)


def _lasts(layout: Layout, topic: str, present: list[Segment]) -> Lasts:
    newest = {segment.partition: segment for segment in present}  # ordered by offset, so the last one stays
    return {TopicPartition(topic, number): last_value(layout.results, segment) for number, segment in newest.items()}
