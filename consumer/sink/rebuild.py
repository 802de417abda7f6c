"""`sink --rebuild`: index and documents anew, from the segments and the ledger. Takes in no new results."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing, suppress

from configs.settings import Settings
from consumer.sink.documents import Documents
from consumer.sink.recovery import catch_up, open_index, remove_index, remove_temporary
from consumer.sink.service import claimed, persistently
from messaging.reading import read_to_end
from messaging.stopping import StoppedError, unless_stopped
from messaging.topics import cluster_id
from output.formats.registry import derived_by
from output.index.tables import Index
from output.layout import Layout
from schemas import DecodeError, LedgerEntry, TopicNames, decode

LEDGER_BATCH = 500
log = logging.getLogger(__name__)


async def rebuild(settings: Settings, layout: Layout, stop: asyncio.Event) -> None:
    """Files that come out the same are left alone. Raises SinkError, TopicMissingError, BrokerUnreachableError."""
    with suppress(StoppedError):
        cluster = await unless_stopped(cluster_id(settings), stop)
        await persistently(lambda: unless_stopped(_rebuild(settings, layout, cluster), stop), layout, stop)


async def _rebuild(settings: Settings, layout: Layout, cluster: str) -> None:
    names = TopicNames(settings.namespace)
    manifest, owns = await claimed(settings, layout, cluster)
    remove_temporary(layout)
    remove_index(layout.index)
    index = open_index(layout.index)
    try:
        await catch_up(layout, names.results, index)
        await read_ledger(settings, index, owns)
        await Documents(layout, index, manifest, formats=derived_by(layout, settings.formats)).write_due()
        totals = index.totals()
    finally:
        index.close()
    log.info("rebuilt", extra={"records": totals.records, "documents": totals.documents, "pairs": totals.pairs})


async def read_ledger(settings: Settings, index: Index, owns: Callable[[str], bool]) -> None:
    """Entries of all documents that are ours up to now into the index."""
    batch: list[LedgerEntry] = []
    offsets: dict[int, int] = {}
    async with aclosing(read_to_end(settings, TopicNames(settings.namespace).files)) as records:
        async for record in records:
            offsets[record.partition] = record.offset + 1
            try:
                entry = decode(LedgerEntry, record.value)
            except DecodeError as exc:
                log.warning("not a ledger entry, left out: %s", exc, extra={"offset": record.offset})
                continue
            if owns(entry.document.id):
                batch.append(entry)
            if len(batch) >= LEDGER_BATCH:
                index.add_ledger(batch, offsets)
                batch = []
    index.add_ledger(batch, offsets)
