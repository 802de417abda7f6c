"""Makes index and documents again from the segments and the ledger, for `sink --rebuild`."""

import asyncio
import logging
from contextlib import aclosing, suppress

from configs.sections import KafkaSettings, SinkSettings
from configs.settings import Settings
from consumer.sink.documents import Documents
from consumer.sink.recovery import open_index, remove_covered, remove_index, remove_temporary
from consumer.sink.restarting import persistently
from consumer.sink.service import claimed
from messaging.messages import read_messages
from messaging.stopping import StoppedError, unless_stopped
from messaging.topics import cluster_id
from output.formats.registry import chosen_formats
from output.index.intake import add_ledger, catch_up
from output.layout import Layout
from schemas import LedgerEntry, TopicNames

log = logging.getLogger(__name__)


async def rebuild(settings: Settings, layout: Layout, stop: asyncio.Event) -> None:
    """Leaves files alone whose content is the same. Raises OutputError, TopicMissingError, BrokerUnreachableError."""
    with suppress(StoppedError):
        cluster = await unless_stopped(cluster_id(settings.kafka), stop)
        await persistently(
            lambda: unless_stopped(_rebuild(settings.kafka, settings.sink, layout, cluster), stop), layout, stop
        )


async def _rebuild(kafka: KafkaSettings, options: SinkSettings, layout: Layout, cluster: str) -> None:
    names = TopicNames(kafka.namespace)
    manifest, owns = await claimed(kafka, layout, cluster)
    remove_temporary(layout)
    remove_index(layout.index)
    index = open_index(layout.index)
    try:
        remove_covered(layout, names.results, await catch_up(layout, names.results, index))
        async with aclosing(read_messages(kafka, names.files, LedgerEntry)) as messages:
            entries = ((record.partition, record.offset, entry) async for record, entry in messages)
            await add_ledger(index, entries, owns)
        await Documents(layout, index, manifest, formats=chosen_formats(options.formats)).write_due()
        totals = index.totals()
    finally:
        index.close()
    log.info("rebuilt", extra={"records": totals.records, "documents": totals.documents, "pairs": totals.pairs})
