"""`repair`: replaces records of qa.files that can't be read, each of which keeps a document from being published.

It shows what it would write, and writes it with --apply. Stop the producers before: their next start reads the ledger.
Do not mend what a newer version of QAStream has written: use that version.
"""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from configs import cli
from configs.sections import KafkaSettings
from ledger.promise import promise_of
from messaging.connection import PATIENCE_S, PRODUCER_FAILED, open_producer
from messaging.messages import ignore, place_of, read_messages
from messaging.record import Record
from messaging.roles import Role
from messaging.topics import check_access
from producer.errors import PublishError
from producer.publishing.ledger_topic import document_in, read_entries
from producer.publishing.transactions import started_producer
from schemas import Chunk, DecodeError, FileState, LedgerEntry, TopicNames, encode
from schemas.messages import now
from telemetry.logs import configure_logs

SUMMARY = {"repair": "replaces ledger entries that can't be read"}
NO_SPLITTER = "0" * 32
"""Splitter of an entry that repair makes: it is not that of any settings, so the file is published again."""


@dataclass(slots=True)
class Damage:
    """The newest record of a document on qa.files can't be read.

    `before` is its newest readable entry, `last` its last published chunk.
    """

    record: Record
    why: str
    before: LedgerEntry | None = None
    last: Chunk | None = None

    @property
    def source(self) -> str:
        """The source of the document; empty where nothing tells of it."""
        known = self.before or self.last
        return known.document.source if known else ""

    def mended(self) -> LedgerEntry | None:
        """Returns the entry to write; None for a tombstone, since no chunk of such a document was published.

        The entry before counts if it has all published chunks. Else the next version begins behind the last chunk.
        """
        before, last = self.before, self.last
        if last is None or (before and _place(last) < (before.document.version, before.generation, before.chunks)):
            return before
        return LedgerEntry(
            document=last.document,
            generation=last.generation,
            sample=last.sample,
            state=FileState.ABANDONED,
            size_bytes=0,
            mtime_ns=0,
            splitter=NO_SPLITTER,
            chunks=last.index + 1,
            complete=before.complete if before and promise_of(before) else None,
            reason="its ledger entry could not be read",
            updated_at=now(),
        )


def _place(chunk: Chunk) -> tuple[int, int, int]:
    return chunk.document.version, chunk.generation, chunk.index


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m producer repair", description=__doc__)
    parser.add_argument("--apply", action="store_true", help="write the entries; without it nothing is changed")
    cli.add_settings(parser, *cli.KAFKA, *cli.LOGS)
    return parser


def main(argv: Sequence[str]) -> int:
    args = make_parser().parse_args(argv)
    settings = cli.settings_from(args)
    configure_logs(settings.telemetry, process="producer")
    found = asyncio.run(repair(settings.kafka, apply=args.apply))
    print(*_described(found, apply=args.apply), sep="\n")
    return 0


async def repair(kafka: KafkaSettings, *, apply: bool) -> list[Damage]:
    """Returns the damage, and mends it with `apply`. Raises PublishError, AccessError and BrokerUnreachableError."""
    found = await survey(kafka)
    if not apply or not found:
        return found
    await check_access(kafka, Role.PRODUCER, patience_s=PATIENCE_S)
    for source in sorted({damage.source for damage in found}):
        try:
            async with _producer(kafka, source) as producer:  # its start fences a running producer of the source
                await _mend(producer, kafka, [each for each in await survey(kafka) if each.source == source])
        except PRODUCER_FAILED as exc:
            raise PublishError(f"the ledger could not be mended: {exc!r}. Run it again") from exc
    return found


async def survey(kafka: KafkaSettings) -> list[Damage]:
    """Reads the ledger, and where something is damaged in it, all chunks."""
    damaged = await _unreadable(kafka)
    if damaged:
        async with aclosing(read_entries(kafka, undecodable=ignore, patience_s=PATIENCE_S)) as entries:
            async for entry, _ in entries:
                if entry.document.id in damaged:
                    damaged[entry.document.id].before = entry
        chunks = read_messages(
            kafka, TopicNames(kafka.namespace).chunks, Chunk, undecodable=ignore, patience_s=PATIENCE_S
        )
        async with aclosing(chunks):
            async for _, chunk in chunks:
                damage = damaged.get(chunk.document.id)
                if damage and (damage.last is None or _place(damage.last) < _place(chunk)):
                    damage.last = chunk
    return list(damaged.values())


async def _unreadable(kafka: KafkaSettings) -> dict[str, Damage]:
    """Returns the documents whose newest record can't be read, by the key of the record."""
    found: dict[str, Damage] = {}

    def note(record: Record, exc: DecodeError) -> None:
        found.pop(document_in(record), None)
        if record.value is not None:
            found[document_in(record)] = Damage(record, str(exc))

    async with aclosing(read_entries(kafka, undecodable=note, patience_s=PATIENCE_S)) as entries:
        async for entry, _ in entries:
            found.pop(entry.document.id, None)
    return found


def _producer(kafka: KafkaSettings, source: str) -> AbstractAsyncContextManager[AIOKafkaProducer]:
    if source:
        return started_producer(kafka, source)
    return open_producer(kafka, TopicNames(kafka.namespace).producer_id(".repair"), patience_s=PATIENCE_S)


async def _mend(producer: AIOKafkaProducer, kafka: KafkaSettings, damaged: Sequence[Damage]) -> None:
    topic = TopicNames(kafka.namespace).files
    async with producer.transaction():
        sends = []
        for damage in damaged:
            entry = damage.mended()
            sends.append(await producer.send(topic, encode(entry) if entry else None, damage.record.key))
        await asyncio.gather(*sends)  # a failed send does not fail the transaction


def _described(found: Sequence[Damage], *, apply: bool) -> list[str]:
    lines = [f"{len(found)} ledger entries can't be read" + (": mended" if apply and found else "")]
    for damage in found:
        entry = damage.mended()
        lines.append(f"  {place_of(damage.record)}: {damage.why}")
        if entry is None:
            lines.append("    a tombstone: no chunk of a document with this key was published")
        else:
            what = (
                "its entry before" if entry is damage.before else "an entry after which its next version is published"
            )
            lines.append(f"    {cli.printable(entry.document.path)}: {what}")
    return lines if apply or not found else [*lines, "Nothing is changed. --apply writes it"]
