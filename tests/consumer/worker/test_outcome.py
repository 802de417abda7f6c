"""Whatever a record holds, the broker accepts its outcome."""

import asyncio
import random

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
from tests.support.chunks import doubled, limit_messages, make_chunk, publish
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


@pytest.mark.parametrize("taken", [1_000_000, 60_000, 5_000])
async def test_a_result_that_its_topics_refuse_becomes_a_failure_and_holds_up_no_other(make_settings, taken):
    """An admin's topics take less than ours. Records that can't be compressed are what the broker measures."""
    noise = random.Random(1)
    big = "".join(chr(noise.randrange(0x4E00, 0x9FA5)) for _ in range(400_000))
    async with FakeModel().serve() as server:
        settings = make_settings(
            model_urls=server.url, cache=False, session_timeout_ms=6000, drain_s=1, compression="none"
        )
        names = TopicNames(settings.kafka.namespace)
        await ensure_topics(settings.kafka)
        for topic in (names.results, names.dead_letters):
            await limit_messages(settings, topic, taken)
        await publish(settings, [make_chunk(f"Text {i}.", i) for i in range(30)], partition=0)
        await publish(settings, [make_chunk(big, 30), make_chunk("Last.", 31)], partition=0)
        async with working(settings):
            results = await results_of(settings, 32)
            (letter,) = await letters_of(settings)
    assert doubled([result.record_id for result in results]) == []
    (failed,) = (result for result in results if result.status is Status.FAILED)
    assert (failed.chunk.index, failed.error.error_class) == (30, "too_large")
    assert (letter.chunk_id, letter.error_class) == (failed.chunk.id, "too_large")
    assert letter.original.size_bytes > 1_000_000


async def test_a_topic_that_takes_nothing_makes_no_failures_and_goes_on_when_it_is_mended(make_settings, caplog):
    async with FakeModel().serve() as server:
        settings = make_settings(model_urls=server.url, cache=False, session_timeout_ms=6000, drain_s=1)
        names = TopicNames(settings.kafka.namespace)
        await ensure_topics(settings.kafka)
        await limit_messages(settings, names.results, 300)
        await publish(settings, [make_chunk("Text. " * 2000, 0)], partition=0)
        async with working(settings):
            async with asyncio.timeout(60):
                while "Raise its max.message.bytes" not in caplog.text:
                    await asyncio.sleep(0.1)
            await limit_messages(settings, names.results, MAX_MESSAGE_BYTES)
            (result,) = await results_of(settings, 1)
    assert result.status is Status.OK
    assert server.calls.total() == 1
