"""Whatever a record holds, the broker accepts its outcome."""

import pytest
from aiokafka import AIOKafkaProducer

from chaos.fake_model import FakeModel
from consumer.worker.chunk_handler import MAX_RESULT_BYTES
from consumer.worker.outcome import MAX_HEADER_BYTES, answered, undecodable
from messaging.access import client_options
from messaging.connection import MAX_RECORD_BYTES
from messaging.record import Record
from messaging.topics import ensure_topics
from schemas import Chunk, DeadLetter, Result, Status, TopicNames, decode, encode
from schemas.topics import MAX_MESSAGE_BYTES
from tests.consumer.worker.group.test_membership import letters_of, results_of, working
from tests.support.chunks import make_chunk, publish
from tests.support.outcomes import make_result

NAMES = TopicNames("t")
TRACE = ("traceparent", b"00-1-2-01")
MUCH = "\x00" * 1_300_000
"""Text of nearly the largest message, since JSON writes each of its characters as six."""


def record_of(value: bytes, *headers: tuple[str, bytes]) -> Record:
    return Record("t.chunks", 0, 7, b"k", value, headers)


def long_chunk(**changes) -> Chunk:
    chunk = make_chunk("Text.")
    document = {name: changes.pop(name) for name in ("source", "path", "title") if name in changes}
    return chunk.model_copy(update={"document": chunk.document.model_copy(update=document), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"headings": (MUCH,)},
        {"headings": ("",) * 2_000_000},
        {"title": MUCH},
        {"path": MUCH},
        {"source": MUCH},
        {"text": MUCH},
        dict.fromkeys(("text", "title", "path", "source"), MUCH[:260000]) | {"headings": (MUCH[:260_000],)},
    ],
    ids="+".join,
)
def test_a_chunk_that_is_long_anywhere_fails_with_records_that_the_broker_takes(changes):
    chunk = long_chunk(**changes)
    value = encode(chunk)
    assert MAX_RECORD_BYTES < len(value) <= MAX_MESSAGE_BYTES
    result = make_result(chunk.document, 0).model_copy(
        update={"chunk": make_result(chunk.document).chunk.model_copy(update={"text": chunk.text})}
    )
    result = result.model_copy(update={"chunk": result.chunk.model_copy(update={"headings": chunk.headings})})
    outcome = answered(record_of(value), result, NAMES, max_bytes=MAX_RESULT_BYTES)
    sent, letter = (record.value for record in outcome.records)
    assert len(sent) <= MAX_RESULT_BYTES
    assert len(letter) < MAX_RECORD_BYTES
    failed, filed = decode(Result, sent), decode(DeadLetter, letter)
    assert (failed.status, failed.error.error_class, filed.error_class) == (Status.FAILED, "too_large", "too_large")
    assert failed.document.id == filed.document.id == chunk.document.id
    assert (filed.original.size_bytes, filed.original.truncated) == (len(value), True)


@pytest.mark.parametrize(
    "long",
    [("h", b"\xff" * 1_400_000), ("h", b"\x00" * 1_400_000), ("h" * 1_400_000, b"")],
    ids=["not text", "control characters", "name"],
)
def test_headers_beyond_some_kilobytes_are_not_kept_in_a_letter_and_others_are_whole(long):
    outcome = undecodable(record_of(b"no chunk" * 200_000, long, TRACE, ("none", None)), "no JSON", NAMES)
    (letter,) = outcome.records
    assert len(letter.value) < MAX_RECORD_BYTES
    assert decode(DeadLetter, letter.value).headers == {"traceparent": "00-1-2-01", "none": ""}


def test_many_headers_are_kept_up_to_the_bound():
    many = [(f"h{number}", b"\x00" * 100) for number in range(10_000)]
    (letter,) = undecodable(record_of(b"", *many), "no JSON", NAMES).records
    kept = decode(DeadLetter, letter.value).headers
    assert MAX_HEADER_BYTES - 200 < sum(len(name) + len(value) for name, value in kept.items()) <= MAX_HEADER_BYTES


async def test_poison_before_good_chunks_becomes_letters_and_they_are_answered(make_settings):
    async with FakeModel().serve() as server:
        settings = make_settings(model_urls=server.url, cache=False, session_timeout_ms=6000, drain_s=1)
        await ensure_topics(settings.kafka)
        names = TopicNames(settings.kafka.namespace)
        stranger = AIOKafkaProducer(**client_options(settings.kafka), max_request_size=MAX_MESSAGE_BYTES)
        async with stranger:
            poison = encode(long_chunk(headings=(MUCH,)))
            await stranger.send_and_wait(names.chunks, b"no chunk", partition=0, headers=[("h", b"\xff" * 1_400_000)])
            await stranger.send_and_wait(names.chunks, poison, partition=0)
        await publish(settings, [make_chunk("Good.", 1)], partition=0)
        async with working(settings):
            results = await results_of(settings, 2)
            letters = await letters_of(settings)
    assert sorted(result.status for result in results) == [Status.FAILED, Status.OK]
    assert sorted(letter.error_class for letter in letters) == ["too_large", "undecodable"]
