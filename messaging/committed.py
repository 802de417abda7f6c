"""The committed point of a partition whose records finish in any order: its form, and how it is written and read.

The committed offset is the lowest unfinished one. The commit metadata says which records above it are finished, by
listing the few that are not. Transaction markers leave gaps between offsets, so no offset is inferred.

Metadata: `1;NEXT;D,D,…` in hexadecimal. NEXT = next offset to deliver − committed offset. Each D is
the distance of an unfinished offset from the one before it; the first is the committed offset itself and is left out.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition, errors
from aiokafka.errors import KafkaError, for_code
from aiokafka.structs import OffsetAndMetadata

from messaging.access import AUTHORIZATION, AccessError
from messaging.client_internals import NONE_COMMITTED, fetch_committed, forget_coordinator, wait_for_coordinator

VERSION = "1"
METADATA_LIMIT = 4096
"""The broker's `offset.metadata.max.bytes`. It refuses longer metadata, and its producer can't be used any more."""
RETRY_S = 0.1
COORDINATOR_MOVED = (errors.GroupCoordinatorNotAvailableError, errors.NotCoordinatorForGroupError)
log = logging.getLogger(__name__)


class MetadataError(ValueError):
    """Commit metadata that this version did not write."""


@dataclass(frozen=True, slots=True)
class CommitPoint:
    """The committed offset of a partition and its metadata.

    >>> CommitPoint.of([10, 12, 13], following=20)
    CommitPoint(offset=10, metadata='1;a;2,1')
    """

    offset: int
    metadata: str

    @classmethod
    def of(cls, unfinished: Iterable[int], following: int) -> "CommitPoint":
        """Make a point of the `unfinished` offsets, ascending, and the next offset to be delivered."""
        offsets = list(unfinished)
        low = offsets[0] if offsets else following
        distances = ",".join(f"{later - earlier:x}" for earlier, later in pairwise(offsets))
        return cls(low, f"{VERSION};{following - low:x};{distances}")

    def decode(self) -> tuple[list[int], int]:
        """Return the unfinished offsets, ascending, and the next offset to be delivered. Raises MetadataError.

        Empty metadata, as other tools commit it, means that no record above the offset is finished.
        """
        if not self.metadata:
            return [], self.offset
        try:
            version, following, distances = self.metadata.split(";")
            if version != VERSION:
                raise MetadataError(f"metadata of version {version!r}, this program knows {VERSION}")
            ahead = int(following, 16)
            offsets = [self.offset] if ahead else []
            for distance in filter(None, distances.split(",")):
                offsets.append(offsets[-1] + int(distance, 16))
        except (ValueError, IndexError) as exc:
            raise MetadataError(f"unreadable commit metadata: {exc}") from exc
        return offsets, self.offset + ahead


async def commit_with(producer: AIOKafkaProducer, group: str, tp: TopicPartition, point: CommitPoint) -> None:
    """Make `point` the committed point of `tp` when the producer's transaction, which is open, is committed."""
    await producer.send_offsets_to_transaction({tp: OffsetAndMetadata(point.offset, point.metadata)}, group)


async def committed_point(consumer: AIOKafkaConsumer, tp: TopicPartition) -> CommitPoint | None:
    """Return the point that the consumer's group has committed for `tp`, or None if it never committed one.

    Waits while the group's coordinator is away. Raises AccessError.
    """
    while True:
        group = await wait_for_coordinator(consumer)
        try:
            code, offset, metadata = await fetch_committed(consumer, tp)
        except KafkaError as exc:
            log.debug("offset fetch for %s failed: %r", tp, exc)
            await asyncio.sleep(RETRY_S)
            continue
        if code == 0:
            return None if offset == NONE_COMMITTED else CommitPoint(offset, metadata)
        error = for_code(code)
        if error in AUTHORIZATION:
            raise AccessError(f"not allowed to read offsets of group {group}: {error.__name__}")
        if error in COORDINATOR_MOVED:
            forget_coordinator(consumer)
        await asyncio.sleep(RETRY_S)
