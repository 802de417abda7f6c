"""Sends users' requests: it finds the documents that globs name, and waits until a producer takes the requests up."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from configs.sections import KafkaSettings
from ledger.transitions import ActionName, has_to_wait, requested
from messaging.connection import PATIENCE_S, PRODUCER_FAILED, open_producer
from messaging.follow import keep_following
from messaging.messages import warn
from messaging.record import Record
from producer.errors import PublishError
from producer.publishing.ledger_topic import document_in, load_ledger, read_entries
from producer.publishing.requests import load_requests
from producer.publishing.transactions import Publisher, started_producer
from schemas import DecodeError, LedgerEntry, Request, TopicNames, encode
from schemas.ids import request_id
from schemas.messages import now

BATCH = 1000


@dataclass(slots=True)
class RequestPlan:
    """The requests for the matching documents. `left_out` counts, by state, matching documents that they can't change.

    `under_way` has the ids of requests that wait for the end of a publication.
    """

    requests: list[Request] = field(default_factory=list)
    chunks: int = 0
    under_way: set[str] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, entry: LedgerEntry, action: ActionName, *, fresh: bool) -> None:
        request = Request(
            request_id=request_id(entry.document.id, time.time_ns()), created_at=now(),
            action=action, fresh=fresh, document=entry.document,
        )  # fmt: skip
        waits = has_to_wait(entry, action)
        if not waits and requested(entry, request) is None:
            self.left_out[entry.state.value] += 1
            return
        self.requests.append(request)
        self.chunks += entry.complete.chunks if entry.complete and not waits else entry.chunks
        if waits:
            self.under_way.add(request.request_id)


async def make_plan(
    kafka: KafkaSettings, action: ActionName, globs: Sequence[str], source: str, *, fresh: bool
) -> RequestPlan:
    """Plans a request for every document whose path matches a glob. An empty `source` means all sources."""
    newest: dict[str, LedgerEntry] = {}

    def drop(record: Record, exc: DecodeError) -> None:
        newest.pop(document_in(record), None)
        if record.value is not None:
            warn(record, exc)

    async with aclosing(read_entries(kafka, undecodable=drop, patience_s=PATIENCE_S)) as entries:
        async for entry, _ in entries:
            document = entry.document
            if (not source or document.source == source) and any(fnmatchcase(document.path, glob) for glob in globs):
                newest[document.id] = entry
    plan = RequestPlan()
    for entry in sorted(newest.values(), key=lambda entry: (entry.document.source, entry.document.path)):
        plan.add(entry, action, fresh=fresh)
    return plan


async def send(kafka: KafkaSettings, requests: Sequence[Request]) -> None:
    """Writes the requests, a thousand in a transaction. Raises PublishError."""
    topic = TopicNames(kafka.namespace).requests
    try:
        async with open_producer(kafka, f"{topic}.{uuid.uuid4().hex}", patience_s=PATIENCE_S) as producer:
            for at in range(0, len(requests), BATCH):
                async with producer.transaction():
                    sends = [
                        await producer.send(topic, encode(request), request.request_id.encode())
                        for request in requests[at : at + BATCH]
                    ]
                    await asyncio.gather(*sends)
    except PRODUCER_FAILED as exc:
        raise PublishError(f"the requests could not be written: {exc!r}") from exc


async def not_taken_up(kafka: KafkaSettings, requests: Collection[Request], patience_s: float) -> list[Request]:
    """Waits until all requests are taken up, or none was for `patience_s` seconds. Returns those that are left."""
    left = {request.request_id.encode(): request for request in requests}
    news = asyncio.Event()

    def take(record: Record) -> None:
        if record.value is None and record.key in left:
            del left[record.key]
            news.set()

    following = asyncio.create_task(keep_following(kafka, TopicNames(kafka.namespace).requests, take))
    try:
        while left:
            news.clear()
            await asyncio.wait_for(news.wait(), patience_s)
    except TimeoutError:
        pass
    finally:
        following.cancel()
        await asyncio.wait((following,))
    return list(left.values())


async def take_up(kafka: KafkaSettings, source: str) -> None:
    """Takes the requests up in place of the producer of `source`. Fences a producer that has not answered."""
    async with started_producer(kafka, source) as producer:
        ledger = await load_ledger(kafka, source)
        publisher = Publisher(producer, ledger)
        for batch in (await load_requests(kafka, source)).batches(ledger):
            await publisher.publish(batch)
