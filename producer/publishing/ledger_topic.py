"""Reads the ledger from qa.files.

Entries are committed with the chunks that they count, so the ledger is right whatever was killed and when (KIP-618).
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from configs.sections import KafkaSettings
from ledger.entries import Ledger
from messaging.messages import read_messages
from messaging.record import Record
from producer.errors import LedgerError
from schemas import DecodeError, LedgerEntry, TopicNames


async def load_ledger(kafka: KafkaSettings, source: str) -> Ledger:
    """Returns the ledger of `source`. Start the producer of this source before: that settles its predecessor."""
    ledger = Ledger(source)
    async with aclosing(read_entries(kafka, through_pending=True)) as entries:
        async for entry, value in entries:
            if entry.document.source == source:
                ledger.put(entry, value)
    return ledger


async def read_entries(
    kafka: KafkaSettings, *, through_pending: bool = False, patience_s: float | None = None
) -> AsyncGenerator[tuple[LedgerEntry, bytes], None]:
    """Yields all entries of qa.files with their bytes, those of a document in their order.

    Use it within `contextlib.aclosing`. Raises LedgerError, TopicMissingError, and BrokerUnreachableError after
    `patience_s` seconds; without `patience_s` it waits for a broker without end.
    """
    reading = read_messages(
        kafka,
        TopicNames(kafka.namespace).files,
        LedgerEntry,
        undecodable=_refuse,
        through_pending=through_pending,
        patience_s=patience_s,
    )
    async with aclosing(reading) as entries:
        async for record, entry in entries:
            yield entry, record.value or b""


def _refuse(record: Record, exc: DecodeError) -> None:
    """Raises LedgerError for a record that is neither an entry nor a tombstone."""
    if record.value is not None:
        raise LedgerError(
            f"{record.topic} partition {record.partition} offset {record.offset}: {exc}. Only producers write there; "
            "a newer version may have. Use that version, or another --namespace"
        ) from exc
