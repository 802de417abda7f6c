"""Requests of users, which the watcher takes up between its batches.

`regenerate`, `forget` and `retry` write one request a document to qa.requests; only the watcher writes the ledger. It
writes the changed entry and the end of the request in one transaction: each request is done once, whatever is killed.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import aclosing

from configs.failpoints import hit
from configs.sections import KafkaSettings
from ledger.entries import Ledger
from ledger.transitions import has_to_wait, requested
from messaging.messages import decoded
from messaging.reading import read_to_end
from messaging.record import Record
from producer.publishing.batches import MAX_CHUNKS, Batch, OutgoingRecord
from schemas import Request, TopicNames

log = logging.getLogger(__name__)


class Requests:
    """The open requests of one source. `following` has the next offset to read by partition.

    `unseen`: a request came since the last call of `batches`. `ring` is called for each of them.
    """

    def __init__(self, source: str, names: TopicNames, *, ring: Callable[[], None] = lambda: None) -> None:
        self.following: dict[int, int] = {}
        self.unseen = False
        self._source = source
        self._names = names
        self._ring = ring
        self._waiting: dict[bytes, Request] = {}

    def take(self, record: Record) -> None:
        """Takes a record of qa.requests, of any source."""
        self.following[record.partition] = record.offset + 1
        key = record.key or b""
        if record.value is None:
            self._waiting.pop(key, None)
            return
        request = decoded(Request, record)
        if request is not None and request.document.source == self._source:
            self._waiting[key] = request
            self.unseen = True
            self._ring()

    def batches(self, ledger: Ledger) -> Iterator[Batch]:
        """Yields batches that take the requests up. Commit each, and tell the ledger, before you ask for the next."""
        self.unseen = False
        batch, ended = Batch(), list[bytes]()
        for key, request in list(self._waiting.items()):
            if request.document.path in batch.entries or len(batch.records) >= MAX_CHUNKS:
                hit("producer.requested")
                yield batch
                self._end(ended)
                batch, ended = Batch(), []
            if self._put(batch, key, request, ledger):
                ended.append(key)
        if batch.records:
            hit("producer.requested")
            yield batch
            hit("producer.granted")
            self._end(ended)

    def _put(self, batch: Batch, key: bytes, request: Request, ledger: Ledger) -> bool:
        """Adds the records of a request, and tells whether the batch ends it."""
        entry = ledger.entry(request.document.path)
        if entry and has_to_wait(entry, request.action):
            return False
        batch.records.append(OutgoingRecord(self._names.requests, key, None))
        changed = requested(entry, request) if entry else None
        if changed:
            batch.put(changed, self._names)
            log.info("%s %s as asked", request.action, request.document.path)
        return True

    def _end(self, ended: list[bytes]) -> None:
        for key in ended:
            self._waiting.pop(key, None)


async def load_requests(kafka: KafkaSettings, source: str, *, ring: Callable[[], None] = lambda: None) -> Requests:
    """Returns the open requests of `source`. Start the producer of this source before, as for `load_ledger`."""
    names = TopicNames(kafka.namespace)
    requests = Requests(source, names, ring=ring)
    async with aclosing(read_to_end(kafka, names.requests, through_pending=True)) as records:
        async for record in records:
            requests.take(record)
    return requests
