"""Wires the watcher, ends it in order, and gives it a new producer after an error of the old one."""

import asyncio
import logging
from contextlib import AsyncExitStack

from configs.settings import Settings
from messaging.topics import ensure_topics
from producer.decode import check_encoding
from producer.errors import PublishError, SettingsError
from producer.ledger import Rules, load
from producer.paths import Wanted, source_name
from producer.publication import Publication
from producer.publish import Publisher, started_producer
from producer.splitting import splitter_hash
from producer.tree import Tree
from producer.watch import Alarm, hint
from producer.watcher import Parts, Tally, Watcher
from schemas import TopicNames

GRACE_S = 5.0
"""A stopping process gives its open transaction this long; after that Kafka aborts it."""
RETRY_S = 2.0
log = logging.getLogger(__name__)


async def run(settings: Settings, alarm: Alarm, *, once: bool) -> Tally:
    """Publish what is in the directory, and with `once` unset all that comes, until the alarm says stop.

    Raises SettingsError, FencedError and other QAStreamErrors that trying again can't mend.
    """
    parts = make_parts(settings, alarm, once=once)
    work = asyncio.create_task(_work(parts))
    stop = asyncio.create_task(alarm.wait_for_stop())
    try:
        await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait((work,), timeout=GRACE_S)
    finally:
        stop.cancel()
        work.cancel()
        await asyncio.wait((work,))
    return Tally() if work.cancelled() else work.result()


def make_parts(settings: Settings, alarm: Alarm, *, once: bool) -> Parts:
    if settings.input_dir is None:
        raise SettingsError("--input-dir is needed: the directory to watch")
    check_encoding(settings.encoding)
    tree = Tree(settings.input_dir, Wanted(include=settings.include, exclude=settings.exclude))
    source = settings.source or source_name(settings.input_dir)
    size, overlap, encoding = settings.chunk_size, settings.chunk_overlap, settings.encoding
    publication = Publication(
        tree=tree,
        source=source,
        rules=Rules(splitter_hash(size=size, overlap=overlap, encoding=encoding), settings.max_file_bytes),
        size=size,
        overlap=overlap,
        encoding=encoding,
        stopping=lambda: alarm.stopping,
    )
    names = TopicNames(settings.namespace)
    return Parts(settings=settings, tree=tree, names=names, publication=publication, alarm=alarm, once=once)


async def _work(parts: Parts) -> Tally:
    """The watcher on one producer after another: an error of a transaction ends a producer, not the watcher."""
    await ensure_topics(parts.settings)
    tally = Tally()
    async with AsyncExitStack() as stack:
        if not parts.once:
            hints = asyncio.create_task(hint(parts.tree.root, parts.alarm, retry_s=parts.settings.scan_interval_s))
            stack.push_async_callback(_end, hints)
        while not parts.alarm.stopping:
            try:
                async with started_producer(parts.settings, parts.publication.source) as producer:
                    ledger = await load(parts.settings, parts.publication.source)
                    watcher = Watcher(parts, Publisher(producer, ledger), tally)
                    await watcher.watch()
                    return tally
            except PublishError as exc:
                if exc.lasting:
                    raise
                log.warning("%s; going on with what Kafka has", exc)
                await parts.alarm.pause(RETRY_S, least_s=RETRY_S)
    return tally


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))
