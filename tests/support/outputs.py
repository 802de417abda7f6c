"""An output directory and a life of a sink over it, without Kafka: topics are lists."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from consumer.sink.documents import Documents
from consumer.sink.merging import merge_segments
from consumer.sink.recovery import open_index, remove_covered, remove_temporary
from consumer.sink.segment_writer import SegmentWriter
from messaging.record import Record
from output.formats.registry import chosen_formats
from output.index.intake import add_segment_file, catch_up
from output.index.tables import Index
from output.layout import Layout
from output.manifest import claim
from output.segments.naming import next_offsets
from output.segments.records import iter_records
from schemas import LedgerEntry, Result, encode

TOPIC = "qa.results"


def make_record(value: bytes | None, offset: int, partition: int = 0) -> Record:
    return Record(TOPIC, partition, offset, None, value)


@dataclass
class Topics:
    """qa.results with a gap after each batch, as transaction markers leave it, and qa.files."""

    results: list[Record] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)

    def put(self, *results: Result | bytes | None, partition: int = 0) -> None:
        offset = max((r.offset + 2 for r in self.results if r.partition == partition), default=0)
        for step, result in enumerate(results):
            value = encode(result) if isinstance(result, Result) else result
            self.results.append(make_record(value, offset + step, partition))

    def values(self) -> list[bytes | None]:
        ordered = sorted(self.results, key=lambda record: (record.partition, record.offset))
        return [record.value for record in ordered]


async def live(
    layout: Layout,
    topics: Topics,
    *,
    per_segment: int = 1,
    limit_bytes: int = 10**6,
    formats: tuple[str, ...] = ("documents",),
) -> None:
    """One life of a sink: recovery, all that is on the topics and not on disk, documents, merges."""
    layout.make()
    manifest = claim(layout.manifest, cluster_id="c", namespace="qa")
    remove_temporary(layout)
    with closing(open_index(layout.index)) as index:
        counting = await catch_up(layout, TOPIC, index)
        remove_covered(layout, TOPIC, counting)
        following = next_offsets(counting)
        documents = Documents(layout, index, manifest, formats=chosen_formats(formats))
        documents.find_missing()
        writer = SegmentWriter(
            layout, TOPIC, following=following, take=lambda segment: add_segment_file(layout, index, segment),
            max_age_s=1, max_bytes=10**9, clock=lambda: 0.0,
        )  # fmt: skip
        new = [record for record in topics.results if record.offset >= following.get(record.partition, 0)]
        try:
            for count, record in enumerate(new, start=1):
                writer.add(record)
                if count % per_segment == 0:
                    writer.close_all()
                    await documents.write_due()
            writer.close_all()
        finally:
            writer.discard_all()
        seen = index.ledger.offsets().get(0, 0)
        index.add_entries(topics.entries[seen:], {0: len(topics.entries)})
        await documents.write_due()
        await merge_segments(layout, index, limit_bytes=limit_bytes)


def stored(output: Path) -> list[bytes | None]:
    return [record.value for record in iter_records(output)]


def tree(folder: Path) -> dict[str, bytes]:
    """All files below, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def open_existing(layout: Layout) -> closing[Index]:
    return closing(Index(layout.index))


def times(folder: Path, names: Iterable[str]) -> dict[str, int]:
    return {name: (folder / name).stat().st_mtime_ns for name in names}
