"""The two kinds of transaction that a worker commits: outcomes with their offsets, and a partition's first offset."""

import asyncio
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerFenced

from configs.failpoints import hit
from consumer.worker.group.offsets import OffsetTracker
from consumer.worker.outcome import Outcome
from messaging.access import TOO_LARGE
from messaging.committed import CommitPoint, commit_with


class TooLargeError(Exception):
    """Topics refused batches as too large. `topics` has the topic for the offset of each refused one of `outcomes`."""

    def __init__(self, outcomes: Sequence[Outcome], topics: Mapping[int, str]) -> None:
        super().__init__(f"MessageSizeTooLarge: {', '.join(sorted(set(topics.values())))}")
        self.outcomes = outcomes
        self.topics = topics


async def commit_outcomes(
    producer: AIOKafkaProducer, tp: TopicPartition, tracker: OffsetTracker, outcomes: Sequence[Outcome], *, group: str
) -> None:
    """Commits the outcomes' records and the offsets of their input in one transaction.

    Every send is awaited, because a failed send does not make the commit fail. After an error, discard the producer.
    Raises TooLargeError and all that the client raises.
    """
    finished = {outcome.offset for outcome in outcomes}
    await producer.begin_transaction()
    hit("worker.flush.begun")
    sends = [
        await producer.send(record.topic, record.value, key=record.key, headers=list(record.headers) or None)
        for outcome in outcomes
        for record in outcome.records
    ]
    errors = [
        sent if isinstance(sent, BaseException) else None
        for sent in await asyncio.gather(*sends, return_exceptions=True)
    ]
    if any(errors):
        raise _worst(outcomes, errors)
    hit("worker.flush.sent")
    await commit_with(producer, group, tp, tracker.point(finished))
    hit("worker.flush.offsets")
    await producer.commit_transaction()
    hit("worker.flush.committed")
    tracker.commit(finished)


def _worst(outcomes: Sequence[Outcome], errors: Sequence[BaseException | None]) -> BaseException:
    """Returns the error to act on. A batch behind a refused one fails too, with an error that says nothing."""
    origins = [(outcome.offset, record.topic) for outcome in outcomes for record in outcome.records]
    refused = {
        offset: topic for (offset, topic), error in zip(origins, errors, strict=True) if isinstance(error, TOO_LARGE)
    }
    fenced: list[BaseException] = [error for error in errors if isinstance(error, ProducerFenced)]
    if refused and not fenced:
        return TooLargeError(outcomes, refused)
    return next(error for error in (*fenced, *errors) if error is not None)


async def commit_first_point(producer: AIOKafkaProducer, tp: TopicPartition, point: CommitPoint, *, group: str) -> None:
    """Commits the first offset of a partition. Afterwards a missing offset is an error: it was lost."""
    await producer.begin_transaction()
    await commit_with(producer, group, tp, point)
    hit("worker.first.offsets")
    await producer.commit_transaction()
    hit("worker.first.committed")
