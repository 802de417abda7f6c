"""What a worker commits for a partition whose records finish in any order.

The committed offset is the lowest unfinished one. What is finished above it rides in the commit metadata, told by its
complement: the few offsets that are not. Transaction markers leave gaps between offsets, so no offset is inferred.

Metadata: `1;NEXT;D,D,…` in hexadecimal. NEXT is the next offset to be delivered, less the committed offset. Each D is
the distance of an unfinished offset from the one before it; the first is the committed offset itself and is left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

VERSION = "1"


class MetadataError(ValueError):
    """Commit metadata that this version did not write."""


@dataclass(frozen=True, slots=True)
class CommitPoint:
    offset: int
    metadata: str


def encode(unfinished: Iterable[int], following: int) -> CommitPoint:
    """The point to commit: `unfinished` offsets, ascending, and the next offset to be delivered."""
    offsets = list(unfinished)
    low = offsets[0] if offsets else following
    distances = ",".join(f"{later - earlier:x}" for earlier, later in pairwise(offsets))
    return CommitPoint(low, f"{VERSION};{following - low:x};{distances}")


def decode(point: CommitPoint) -> tuple[list[int], int]:
    """Inverse of `encode`. Empty metadata, as other tools commit it, means that nothing above the offset is done."""
    if not point.metadata:
        return [], point.offset
    try:
        version, following, distances = point.metadata.split(";")
        if version != VERSION:
            raise MetadataError(f"metadata of version {version!r}, this program knows {VERSION}")
        ahead = int(following, 16)
        offsets = [point.offset] if ahead else []
        for distance in filter(None, distances.split(",")):
            offsets.append(offsets[-1] + int(distance, 16))
    except (ValueError, IndexError) as exc:
        raise MetadataError(f"unreadable commit metadata: {exc}") from exc
    return offsets, point.offset + ahead
