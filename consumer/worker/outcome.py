"""The records that make up an outcome: a result, and a dead letter if the chunk failed.

Whatever the input record holds, the broker has to accept these records. A record that it refused would be sent again
without end, and nothing more of its partition would be committed.
"""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

from messaging.record import Record
from schemas import DeadLetter, Origin, Original, OutcomeError, Result, Status, TopicNames, encode
from schemas.ids import letter_id
from schemas.messages import now
from telemetry.tracing import Header

MAX_ORIGINAL_BYTES = 1024 * 1024
"""Bytes of a failed record that its dead letter keeps. Size and SHA-256 still identify a longer one."""
MAX_HEADER_BYTES = 8 * 1024
"""Bytes of headers that a dead letter keeps. Our own headers have some hundred bytes."""
SMALL_BYTES = 4096
"""Size below which no record is made smaller: a topic that refuses it has a setting that is wrong."""
MAX_NAME = 4096
"""Characters that are kept of a name if a result is too large. No path is longer."""


@dataclass(frozen=True, slots=True)
class OutputRecord:
    topic: str
    key: bytes
    value: bytes
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The records that follow from the input record at `offset`. They are committed together with that offset.

    Three fields are for metrics: when the input was published, its result, and the error class of its letter.
    `within` makes the outcome again, with a result of at most `max_bytes` and a letter of twice as many. `whole` is the
    outcome before it was made smaller.
    """

    offset: int
    records: tuple[OutputRecord, ...]
    published_ms: int = 0
    result: Result | None = None
    error_class: str | None = None
    within: "Callable[..., Outcome] | None" = None
    whole: "Outcome | None" = None

    @property
    def size(self) -> int:
        """Bytes of the largest record."""
        return max((len(record.value) for record in self.records), default=0)

    def smaller(self) -> "Outcome | None":
        """Returns the outcome with records of half the size at most, or None where they are small already."""
        if self.within is None or self.size <= SMALL_BYTES:
            return None
        return replace(self.within(max_bytes=max(self.size // 4, SMALL_BYTES // 2)), whole=self.whole or self)


def origin_of(record: Record) -> Origin:
    return Origin(topic=record.topic, partition=record.partition, offset=record.offset)


def answered(
    record: Record, result: Result, names: TopicNames, *, max_bytes: int, headers: Iterable[Header] = ()
) -> Outcome:
    """Returns the outcome of a chunk. `headers` are put on the result.

    A result of more than `max_bytes` becomes a failed one.
    """
    headers = tuple(headers)
    within = partial(answered, record, result, names, headers=headers)
    value = encode(result)
    if len(value) > max_bytes:
        result = _too_large(result, len(value), max_bytes)
        value = encode(result)
    records = [OutputRecord(names.results, result.document.id.encode(), value, headers)]
    error_class = None
    if result.status is Status.FAILED and result.error is not None:
        letter = _letter_of_chunk(record, result, result.error, max_bytes=max_bytes)
        records.append(OutputRecord(names.dead_letters, result.chunk.id.encode(), encode(letter)))
        error_class = result.error.error_class
    return Outcome(record.offset, tuple(records), record.timestamp_ms, result, error_class, within)


def undecodable(record: Record, problem: str, names: TopicNames, *, max_bytes: int = 2 * MAX_ORIGINAL_BYTES) -> Outcome:
    """Returns the outcome of a record that is no chunk: only a dead letter, since a result would have no chunk."""
    letter = _letter(record, kind="record", reason=problem, error_class="undecodable", max_bytes=max_bytes)
    within = partial(undecodable, record, problem, names)
    sent = OutputRecord(names.dead_letters, letter.letter_id.encode(), encode(letter))
    return Outcome(record.offset, (sent,), record.timestamp_ms, error_class=letter.error_class, within=within)


def _letter_of_chunk(record: Record, result: Result, error: OutcomeError, *, max_bytes: int) -> DeadLetter:
    return _letter(
        record,
        max_bytes=max_bytes,
        kind="chunk",
        reason=error.message,
        error_class=error.error_class,
        attempts=error.attempts,
        document=result.document,
        chunk_id=result.chunk.id,
        generation=result.generation,
        attempt=result.attempt,
    )


def _letter(record: Record, *, max_bytes: int, **fields: Any) -> DeadLetter:
    value, most = record.value or b"", min(MAX_ORIGINAL_BYTES, max_bytes // 2)
    return DeadLetter(
        letter_id=letter_id(record.topic, record.partition, record.offset),
        original=Original(
            base64=base64.b64encode(value[:most]).decode(),
            size_bytes=len(value),
            sha256=sha256(value).hexdigest(),
            truncated=len(value) > most,
        ),
        headers=_headers(record.headers, min(MAX_HEADER_BYTES, max_bytes // 8)),
        origin=origin_of(record),
        created_at=now(),
        **fields,
    )


def _too_large(result: Result, size: int, max_bytes: int) -> Result:
    """Returns a failed result without anything that the input record or the model may have made long."""
    error = OutcomeError(error_class="too_large", message=f"the result has {size} bytes, over {max_bytes}")
    most = min(MAX_NAME, max_bytes // 64)
    names = {name: getattr(result.document, name)[:most] for name in ("source", "path", "title")}
    return result.model_copy(
        update={
            "status": Status.FAILED,
            "error": error,
            "asked": {},
            "pairs": (),
            "rejected": (),
            "skipped": None,
            "document": result.document.model_copy(update=names),
            "chunk": result.chunk.model_copy(update={"text": result.chunk.text[: max_bytes // 16], "headings": ()}),
        }
    )


def _headers(headers: Iterable[tuple[str, bytes | None]], left: int) -> dict[str, str]:
    """Keeps whole headers only: half of a trace's name would name another trace."""
    kept = {}
    for name, value in headers:
        size = len(name.encode()) + len(value or b"")
        if size <= left:
            kept[name], left = (value or b"").decode("utf-8", "replace"), left - size
    return kept
