"""Reads the ledger from qa.files.

Entries are committed with the chunks that they count, so the ledger is right whatever was killed and when (KIP-618).
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from configs.sections import KafkaSettings
from ledger.entries import Ledger
from messaging.messages import Undecodable, place_of, read_messages, warn
from messaging.record import Record
from schemas import DecodeError, LedgerEntry, TopicNames


async def load_ledger(kafka: KafkaSettings, source: str) -> Ledger:
    """Returns the ledger of `source`. Start the producer of this source before: that settles its predecessor."""
    ledger, unreadable = Ledger(source), dict[str, str]()

    def note(record: Record, exc: DecodeError) -> None:
        if record.value is None:
            unreadable.pop(document_in(record), None)
            return
        warn(record, exc)
        unreadable[document_in(record)] = (
            f"its ledger entry, {place_of(record)}, can't be read ({exc}); `python -m producer repair` mends it"
        )

    async with aclosing(read_entries(kafka, undecodable=note, through_pending=True)) as entries:
        async for entry, value in entries:
            unreadable.pop(entry.document.id, None)
            if entry.document.source == source and entry.document.id == ledger.document_id(entry.document.path):
                ledger.put(entry, value)
    ledger.set_aside(unreadable)
    return ledger


def document_in(record: Record) -> str:
    """Returns the key of a record of qa.files: the id of its document, if a producer wrote it."""
    return (record.key or b"").decode(errors="replace")


async def read_entries(
    kafka: KafkaSettings,
    *,
    undecodable: Undecodable,
    through_pending: bool = False,
    patience_s: float | None = None,
) -> AsyncGenerator[tuple[LedgerEntry, bytes], None]:
    """Yields all entries of qa.files with their bytes, those of a document in their order.

    `undecodable` is told of all other records, tombstones too. Use it within `contextlib.aclosing`. Raises
    TopicMissingError, and BrokerUnreachableError after `patience_s` seconds; without `patience_s` it waits for a broker
    without end.
    """
    reading = read_messages(
        kafka,
        TopicNames(kafka.namespace).files,
        LedgerEntry,
        undecodable=undecodable,
        through_pending=through_pending,
        patience_s=patience_s,
    )
    async with aclosing(reading) as entries:
        async for record, entry in entries:
            yield entry, record.value or b""
