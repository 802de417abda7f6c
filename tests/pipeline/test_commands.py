import argparse
import asyncio

import orjson
import pytest

from configs.settings import Settings
from messaging.connection import make_transactional_producer
from messaging.topics import ensure_topics
from output.errors import OutputError
from pipeline import read, topics
from pipeline.status import command as status
from schemas import DeadLetter, Original, TopicNames, encode
from schemas.ids import digest
from schemas.messages import now
from tests.ledger.test_progress import entry
from tests.pipeline.progress.test_summary import result
from tests.support.chunks import until_visible


def run(command, settings: Settings, *flags: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    where = ["--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace]
    return command.main(parser.parse_args([*where, *flags]))


async def fill(settings: Settings) -> None:
    """One file of two chunks, one answered; one dead letter."""
    names = TopicNames(settings.kafka.namespace)
    letter = DeadLetter(
        letter_id=digest("letter"),
        kind="file",
        reason="not text",
        error_class="undecodable",
        original=Original(base64="", size_bytes=0),
        created_at=now(),
    )
    await ensure_topics(settings.kafka, patience_s=30)
    async with (
        make_transactional_producer(settings.kafka, f"{settings.kafka.namespace}.test") as producer,
        producer.transaction(),
    ):
        await producer.send_and_wait(names.files, encode(entry("a.txt", chunks=2)), key=b"a.txt")
        await producer.send_and_wait(names.results, encode(result("a.txt")))
        await producer.send_and_wait(names.dead_letters, encode(letter))
    await until_visible(settings, f"{settings.kafka.namespace}.test")


def test_topics_are_made_and_named(make_settings, capsys):
    settings = make_settings(partitions=2)
    assert run(topics, settings, "--partitions", "2") == 0
    assert f"{settings.kafka.namespace}.results: 2 partitions" in capsys.readouterr().out


def test_status_counts_what_is_on_the_topics(make_settings, capsys):
    settings = make_settings()
    asyncio.run(fill(settings))
    assert run(status, settings) == 0
    lines = [line.strip("│ \n").split("│") for line in capsys.readouterr().out.splitlines() if "│" in line]
    rows = {line[0].strip(): line[1].strip() for line in lines if len(line) == 2}
    assert rows.pop("per second").endswith(" tokens")
    assert rows.pop("time left").startswith("about 0:00:")
    assert rows == {
        "files": "0 of 1 done",
        "files rejected": "0",
        "chunks": "2",
        "answered": "1",
        "backlog": "1",
        "failed": "0",
        "pairs": "1",
        "dead letters": "1",
    }


def test_a_quick_status_says_only_what_it_knows(make_settings, capsys):
    settings = make_settings()
    asyncio.run(fill(settings))
    assert run(status, settings, "--quick", "--json") == 0
    said = orjson.loads(capsys.readouterr().out)
    assert said["counts"] == {"files": 1, "files_rejected": 0, "chunks": 2, "backlog": 0, "dead_letters": 1}
    assert (said["group_state"], said["workers"]) == ("Dead", [])
    assert 0 < said["rates_per_s"]["chunks"] <= 1
    assert [p["unfinished"] for p in said["partitions"]] == [0, 0, 0]


def test_records_are_printed_as_they_are(make_settings, capsysbinary):
    settings = make_settings()
    asyncio.run(fill(settings))
    assert run(read, settings) == 0
    [line] = capsysbinary.readouterr().out.splitlines()
    assert b'"record_id"' in line


def test_status_of_an_output_without_a_running_broker_says_so(tmp_path):
    parser = argparse.ArgumentParser()
    status.add_arguments(parser)
    with pytest.raises(OutputError, match="no pipeline with a broker of its own runs"):
        status.main(parser.parse_args(["--output-dir", str(tmp_path)]))
