"""List and replay, on a real broker."""

import asyncio
import subprocess
import sys
from collections import Counter
from contextlib import suppress

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalOperation

from configs.settings import Settings
from consumer.dead_letters.letters import LetterFilter
from consumer.dead_letters.replay import ReplayError, replay
from messaging.connection import PRODUCER_FAILED, abandon, discard, make_transactional_producer
from schemas import Chunk, DeadLetter, DecodeError, ReplayMarker, Status, TopicNames, decode, encode
from tests.support.chunks import read_all
from tests.support.outcomes import make_chunk_of, make_document, make_letter, make_result, publish, values_by_partition

FAILED = [make_result(make_document(f"{name}.md"), 0, status=Status.FAILED) for name in "abc"]


def command(settings: Settings, *arguments: str, code: int = 0) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", "consumer", "dead-letters", *arguments, "--bootstrap-servers", settings.kafka.brokers,
         "--namespace", settings.kafka.namespace],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == code, finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.stdout + finished.stderr


@pytest.fixture
def settings(make_settings):
    """Three letters of chunks and one that can't be replayed."""
    settings = make_settings()
    letters = [make_letter(result, offset=offset) for offset, result in enumerate(FAILED)]
    letters[2] = letters[2].model_copy(update={"error_class": "outage"})
    strange = make_letter(FAILED[0], offset=9, original=b"\xff").model_copy(update={"kind": "record", "document": None})
    publish(settings, *letters, strange)
    return settings


def chunks(settings: Settings) -> list[Chunk]:
    return asyncio.run(read_all(settings, TopicNames(settings.kafka.namespace).chunks, Chunk))


async def letters_and_markers(settings: Settings) -> tuple[list[DeadLetter], list[ReplayMarker]]:
    letters, markers = [], []
    for values in (await values_by_partition(settings, TopicNames(settings.kafka.namespace).dead_letters)).values():
        for value in values:
            try:
                letters.append(decode(DeadLetter, value))
            except DecodeError:
                markers.append(decode(ReplayMarker, value))
    return letters, markers


def test_list_shows_what_failed_and_why(settings):
    text = command(settings, "list")
    assert "4 dead letters" in text
    assert "a.md" in text
    assert "no JSON" in text
    lines = [orjson.loads(line) for line in command(settings, "list", "--json", "--reason", "outage").splitlines()]
    assert [(line["document"]["path"], line["replayed"], "base64" in line["original"]) for line in lines] == [
        ("c.md", False, False)
    ]
    assert "0 dead letters" in command(settings, "list", "--document", "none*")
    assert "takes a time" in command(settings, "list", "--since", "yesterday", code=2)


def test_a_replay_is_dry_until_it_is_said_to_be_done_and_done_once(settings):
    said = command(settings, "replay", code=3)
    assert "3 dead letters would be replayed" in said
    assert "1 a record that is no chunk" in said
    assert chunks(settings) == []
    assert "1 dead letters replayed" in command(settings, "replay", "--document", "b.md", "--yes")
    assert chunks(settings) == [make_chunk_of(FAILED[1]).model_copy(update={"attempt": 1})]
    assert "2 dead letters replayed" in command(settings, "replay", "--yes", code=3)
    assert "0 dead letters replayed" in command(settings, "replay", "--yes", code=3)
    assert Counter((c.document.path, c.attempt) for c in chunks(settings)) == {
        ("a.md", 1): 1,
        ("b.md", 1): 1,
        ("c.md", 1): 1,
    }
    assert "1 dead letters" in command(settings, "list")
    assert "4 dead letters" in command(settings, "list", "--all")


def test_a_chunk_that_fails_again_is_another_letter(settings):
    command(settings, "replay", "--document", "a.md", "--yes")
    again = make_result(FAILED[0].document, 0, attempt=1, status=Status.FAILED)
    publish(settings, again, make_letter(again, offset=50))
    command(settings, "replay", "--document", "a.md", "--yes", code=0)
    assert sorted(chunk.attempt for chunk in chunks(settings)) == [1, 2]


async def test_the_marker_has_the_letters_key_and_the_chunk_its_own(settings):
    from contextlib import aclosing

    from messaging.reading import read_to_end

    assert (await replay(settings.kafka, LetterFilter(document="a.md"), dry_run=False)).replayed == {"malformed": 1}
    names = TopicNames(settings.kafka.namespace)
    async with aclosing(read_to_end(settings.kafka, names.chunks, through_pending=True)) as records:
        (record,) = [each async for each in records]
    assert record.key == make_chunk_of(FAILED[0]).content_key.encode()
    assert dict(record.headers) == {"traceparent": b"00-1-2-01"}
    (letter,) = [
        each
        for each in (await letters_and_markers(settings))[0]
        if each.document == FAILED[0].document and each.kind == "chunk"
    ]
    async with aclosing(read_to_end(settings.kafka, names.dead_letters, through_pending=True)) as records:
        keys = Counter([each.key async for each in records])
    assert keys[letter.letter_id.encode()] == 2


async def test_a_replay_whose_producer_has_failed_before_it_sends_says_so(settings, monkeypatch):
    """What it raises then is no error of Kafka's. When a producer learns that it was fenced is up to its timing."""

    async def send(*args, **kwargs):
        raise IllegalOperation("Can't send messages while not in transaction")

    monkeypatch.setattr(AIOKafkaProducer, "send", send)
    with pytest.raises(ReplayError, match="running it again"):
        await replay(settings.kafka, LetterFilter(), dry_run=False)


async def test_a_replayer_that_was_overtaken_publishes_nothing(settings, monkeypatch):
    """A second replay starts while the first is between reading and publishing."""
    names = TopicNames(settings.kafka.namespace)
    from consumer.dead_letters import replay as module

    original = module._publish

    async def overtaken(*args, **kwargs):
        other = make_transactional_producer(settings.kafka, f"{settings.kafka.namespace}.replay")
        await other.start()
        await other.stop()
        await original(*args, **kwargs)

    monkeypatch.setattr(module, "_publish", overtaken)
    with pytest.raises(ReplayError, match="running it again"):
        await replay(settings.kafka, LetterFilter(), dry_run=False)
    assert await read_all(settings, names.chunks, Chunk) == []
    assert (await letters_and_markers(settings))[1] == []
    monkeypatch.undo()
    assert (await replay(settings.kafka, LetterFilter(), dry_run=False)).replayed.total() == 3


async def test_markers_behind_a_workers_open_transaction_count(settings, monkeypatch):
    """Given a worker that dies in a transaction that began before a replay's own, which hides its markers."""
    from consumer.dead_letters import replay as module

    original = module._publish
    worker = make_transactional_producer(settings.kafka, f"{settings.kafka.namespace}.worker")
    await worker.start()
    await worker.begin_transaction()

    async def behind_a_worker(*args, **kwargs):
        topic = TopicNames(settings.kafka.namespace).dead_letters
        for number in range(settings.kafka.partitions):
            await (await worker.send(topic, b"open", partition=number))
        await original(*args, **kwargs)

    monkeypatch.setattr(module, "_publish", behind_a_worker)
    assert (await replay(settings.kafka, LetterFilter(), dry_run=False)).replayed.total() == 3
    monkeypatch.undo()
    second = asyncio.create_task(replay(settings.kafka, LetterFilter(), dry_run=False))
    await asyncio.wait([second], timeout=2)  # time enough for one that does not wait
    with suppress(*PRODUCER_FAILED):  # on a busy machine its time is over by now
        await worker.abort_transaction()
    await discard(worker)
    assert (await second).replayed.total() == 0
    assert len(await read_all(settings, TopicNames(settings.kafka.namespace).chunks, Chunk)) == 3


async def test_what_a_killed_replay_left_open_is_not_counted(settings):
    """Marker and chunk were sent, the commit never came."""
    names = TopicNames(settings.kafka.namespace)
    (letter, *_), _ = await letters_and_markers(settings)
    killed = make_transactional_producer(settings.kafka, f"{settings.kafka.namespace}.replay")
    await killed.start()
    await killed.begin_transaction()
    marker = ReplayMarker(letter_id=letter.letter_id, attempt=1, created_at=letter.created_at)
    await (await killed.send(names.dead_letters, encode(marker), key=b"k"))
    await (await killed.send(names.chunks, encode(make_chunk_of(FAILED[0])), key=b"k"))
    try:
        assert (await replay(settings.kafka, LetterFilter(), dry_run=False)).replayed.total() == 3
    finally:
        await abandon(killed)
    assert len(await read_all(settings, names.chunks, Chunk)) == 3
