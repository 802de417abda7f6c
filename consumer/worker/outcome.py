"""The records that an outcome consists of: its result, and a dead letter where it failed.

Whatever the input record holds, each of them is one that the broker takes. One that it refused would be sent again
without end, and nothing of its partition be committed any more.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from messaging.record import Record
from schemas import DeadLetter, Origin, Original, OutcomeError, Result, Status, TopicNames, encode
from schemas.ids import letter_id
from schemas.messages import now
from telemetry.tracing import Header

MAX_ORIGINAL_BYTES = 1024 * 1024
"""More of a failed record is not kept in its letter; size and SHA-256 still identify it."""
MAX_HEADER_BYTES = 8 * 1024
"""Headers beyond this are not kept in a letter. Ours have some hundred bytes."""
MAX_NAME = 4096
"""Characters kept of a name of any kind where a result is too large; no path is longer."""


@dataclass(frozen=True, slots=True)
class OutputRecord:
    topic: str
    key: bytes
    value: bytes
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the input record at `offset` came to; its records are committed together with that offset.

    The rest is for metrics: when the input was published, its result, and the error class of its letter.
    """

    offset: int
    records: tuple[OutputRecord, ...]
    published_ms: int = 0
    result: Result | None = None
    error_class: str | None = None


def origin_of(record: Record) -> Origin:
    return Origin(topic=record.topic, partition=record.partition, offset=record.offset)


def answered(
    record: Record, result: Result, names: TopicNames, *, max_bytes: int, headers: Iterable[Header] = ()
) -> Outcome:
    """Outcome of a chunk; `headers` are the result's. A result that no broker would take becomes a failed one."""
    value = encode(result)
    if len(value) > max_bytes:
        result = _too_large(result, len(value), max_bytes)
        value = encode(result)
    records = [OutputRecord(names.results, result.document.id.encode(), value, tuple(headers))]
    error_class = None
    if result.status is Status.FAILED and result.error is not None:
        records.append(_letter_record(record, result, result.error, names))
        error_class = result.error.error_class
    return Outcome(record.offset, tuple(records), record.timestamp_ms, result, error_class)


def undecodable(record: Record, problem: str, names: TopicNames) -> Outcome:
    """Outcome of a record that is no chunk: a letter, and no result, since nothing says whose it would be."""
    origin = origin_of(record)
    letter = DeadLetter(
        letter_id=letter_id(origin.topic, origin.partition, origin.offset),
        kind="record",
        reason=problem,
        error_class="undecodable",
        original=_original(record.value or b""),
        headers=_headers(record.headers),
        origin=origin,
        created_at=now(),
    )
    sent = OutputRecord(names.dead_letters, letter.letter_id.encode(), encode(letter))
    return Outcome(record.offset, (sent,), record.timestamp_ms, error_class=letter.error_class)


def _letter_record(record: Record, result: Result, error: OutcomeError, names: TopicNames) -> OutputRecord:
    origin = result.origin
    letter = DeadLetter(
        letter_id=letter_id(origin.topic, origin.partition, origin.offset),
        kind="chunk",
        reason=error.message,
        error_class=error.error_class,
        attempts=error.attempts,
        document=result.document,
        chunk_id=result.chunk.id,
        generation=result.generation,
        attempt=result.attempt,
        original=_original(record.value or b""),
        headers=_headers(record.headers),
        origin=origin,
        created_at=now(),
    )
    return OutputRecord(names.dead_letters, result.chunk.id.encode(), encode(letter))


def _too_large(result: Result, size: int, max_bytes: int) -> Result:
    """Of what the input record or the model may have made long, nothing is left that is."""
    error = OutcomeError(error_class="too_large", message=f"the result has {size} bytes, over {max_bytes}")
    names = {name: getattr(result.document, name)[:MAX_NAME] for name in ("source", "path", "title")}
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


def _original(value: bytes) -> Original:
    return Original(
        base64=base64.b64encode(value[:MAX_ORIGINAL_BYTES]).decode(),
        size_bytes=len(value),
        sha256=sha256(value).hexdigest(),
        truncated=len(value) > MAX_ORIGINAL_BYTES,
    )


def _headers(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """Each whole or not at all: half of a trace's name would name another."""
    kept, left = {}, MAX_HEADER_BYTES
    for name, value in headers:
        size = len(name.encode()) + len(value or b"")
        if size <= left:
            kept[name], left = (value or b"").decode("utf-8", "replace"), left - size
    return kept
