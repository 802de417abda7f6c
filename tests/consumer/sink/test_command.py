"""The sink as users run it, against a real broker."""

import asyncio
import random
import resource
import signal
import subprocess
import sys
import time

import orjson

from chaos.waiting import eventually
from output.layout import Layout
from output.segments.naming import list_segments
from output.segments.records import iter_records
from schemas import FileState, Status, TopicNames
from server.broker.node import Broker
from tests.support.outcomes import (
    Publisher,
    SinkProcess,
    make_document,
    make_entry,
    make_result,
    publish,
    running_sink,
    values_by_partition,
)
from tests.support.outputs import times, tree


def stored(output) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    for record in iter_records(output):
        found.setdefault(record.segment.partition, []).append(record.value)
    return found


def topic_values(settings) -> dict[int, list[bytes]]:
    return asyncio.run(values_by_partition(settings, TopicNames(settings.kafka.namespace).results))


def caught_up(sink: SinkProcess, records: int):
    return eventually(lambda: sink.status().get("records") == records, what=sink.lines)


def run_sink(settings, output, *arguments: str) -> tuple[int, str]:
    """To its end."""
    with running_sink(settings, output, *arguments) as sink:
        return sink.process.wait(30), sink.log.read_text()


def test_records_are_on_disk_as_they_are_on_the_topic_and_documents_follow(make_settings, tmp_path):
    settings = make_settings()
    one, two = make_document("semiconductor/a.md"), make_document("b.txt")
    with running_sink(settings, tmp_path / "out") as sink:
        publish(settings, make_result(one, 1), make_result(two, 0))
        publish(settings, make_result(one, 7, text="never committed"), abort=True)
        publish(settings, make_result(one, 0, rejected=1), make_entry(one, 3), make_entry(two, 1))
        publish(settings, make_result(one, 2, status=Status.FAILED))
        eventually(lambda: sink.status().get("documents") == 2, what=sink.lines)
        status = sink.status()
        assert sink.stop() == 0
    assert stored(tmp_path / "out") == topic_values(settings)
    document = orjson.loads((tmp_path / "out/documents/semiconductor/a.md.json").read_bytes())
    assert document["document"] == one.model_dump(mode="json")
    assert [pair["chunk"]["index"] for pair in document["pairs"]] == [0, 0, 1, 1]
    assert document["failed"][0]["error"]["error_class"] == "malformed"
    assert (status["records"], status["pairs"], status["waiting"], status["undecodable"]) == (4, 6, 0, 0)
    segments = list_segments(tmp_path / "out/results")
    assert status["next_offsets"] == {
        str(s.partition): max(x.last for x in segments if x.partition == s.partition) + 1 for s in segments
    }


def test_a_result_is_on_disk_within_a_second_of_its_commit(make_settings, tmp_path):
    settings = make_settings()
    document, delays = make_document("a.md"), []

    async def measure() -> None:
        async with Publisher(settings) as publisher:
            for index in range(9):
                await publisher.publish([make_result(document, index)])
                committed = time.monotonic()
                while sum(len(values) for values in stored(tmp_path / "out").values()) <= index:
                    await asyncio.sleep(0.01)
                delays.append(time.monotonic() - committed)

    with running_sink(settings, tmp_path / "out") as sink:
        eventually(sink.status, what=sink.lines)
        asyncio.run(asyncio.wait_for(measure(), 60))
    assert sorted(delays)[len(delays) // 2] < 1


def test_what_was_read_is_written_before_it_stops(make_settings, tmp_path):
    settings = make_settings()
    document = make_document("a.md")
    publish(settings, make_entry(document, 2), make_result(document, 0), make_result(document, 1))
    with running_sink(settings, tmp_path / "out", "--segment-ms", "600000") as sink:
        eventually(
            lambda: sink.status().get("waiting") == 1 and list((tmp_path / "out/results").glob(".*.tmp")),
            what=sink.lines,
        )
        assert sink.stop(signal.SIGINT) == 0
        assert sink.status()["documents"] == 1
    assert stored(tmp_path / "out") == topic_values(settings)


def test_kill_after_kill_nothing_is_lost_or_doubled(make_settings, tmp_path):
    """kill -9 at random moments while results, aborted ones among them, come in."""
    settings, output, choose = make_settings(), tmp_path / "out", random.Random(1)
    documents = [make_document(f"d{number}.md") for number in range(40)]
    results = [make_result(document, index) for document in documents for index in range(10)]
    choose.shuffle(results)

    async def produce() -> None:
        async with Publisher(settings) as publisher:
            await publisher.publish([make_entry(document, 10) for document in documents])
            for start in range(0, len(results), 4):
                if choose.random() < 0.3:
                    await publisher.publish([make_result(documents[0], 0, text="aborted")], abort=True)
                await publisher.publish(results[start : start + 4])
                await asyncio.sleep(0.06)

    async def kill_and_kill() -> int:
        producing, kills = asyncio.create_task(produce()), 0
        while not producing.done() or kills < 6:
            with running_sink(settings, output, "--segment-ms", "20", "--segment-bytes", "65536") as sink:
                await asyncio.to_thread(eventually, sink.is_up)
                await asyncio.sleep(choose.random() * 0.5)
                sink.process.kill()
                await asyncio.to_thread(sink.process.wait)
                kills += 1
        await producing
        return kills

    assert asyncio.run(kill_and_kill()) >= 6
    with running_sink(settings, output) as sink:
        eventually(lambda: sink.is_up() and sink.status().get("documents") == 40, what=sink.lines)
        assert sink.stop() == 0
    assert stored(output) == topic_values(settings)
    for document in documents:
        written = orjson.loads((output / "documents" / f"{document.path}.json").read_bytes())
        assert [pair["chunk"]["index"] for pair in written["pairs"]] == [i for i in range(10) for _ in range(2)]


def test_a_second_run_changes_nothing_and_a_rebuild_makes_the_same(make_settings, tmp_path):
    settings, output = make_settings(), tmp_path / "out"
    one, two = make_document("a.md"), make_document("b.md")
    publish(settings, make_entry(one, 1), make_entry(two, 0), make_result(one, 0))
    publish(settings, make_entry(make_document("c.md"), 1, state=FileState.FORGOTTEN))
    with running_sink(settings, output) as sink:
        eventually(lambda: sink.status().get("documents") == 2, what=sink.lines)
        sink.stop()
    content, stamps = tree(output / "documents"), times(output / "documents", tree(output / "documents"))
    results = tree(output / "results")
    with running_sink(settings, output) as sink:
        eventually(sink.is_up, what=sink.lines)
        sink.stop()
    assert times(output / "documents", content) == stamps
    (output / "documents/b.md.json").unlink()
    (output / "documents/a.md.json").write_text("edited")
    (output / ".qastream/index.sqlite").write_bytes(b"garbage")
    code, log = run_sink(settings, output, "--rebuild")
    assert code == 0, log
    assert tree(output / "documents") == content
    stamps = times(output / "documents", content)
    assert run_sink(settings, output, "--rebuild")[0] == 0
    assert times(output / "documents", content) == stamps
    assert tree(output / "results") == results


def test_who_may_not_write_there_is_told_so(make_settings, tmp_path):
    settings, output = make_settings(), tmp_path / "out"
    with running_sink(settings, output) as sink:
        eventually(sink.status, what=sink.lines)
        code, log = run_sink(settings, output)
        assert code == 1
        assert f"pid {sink.process.pid}" in log
        assert sink.stop() == 0
    code, log = run_sink(make_settings(), output)
    assert (code, "namespace" in log) == (2, True)
    finished = subprocess.run([sys.executable, "-m", "consumer", "sink"], capture_output=True, text=True, check=False)
    assert (finished.returncode, "--output-dir" in finished.stderr) == (2, True)
    assert "Traceback" not in log + finished.stderr


def test_a_topic_that_does_not_go_on_where_the_disk_ends_is_refused(make_settings, tmp_path):
    settings, output = make_settings(), tmp_path / "out"
    document = make_document("a.md")
    publish(settings, *(make_result(document, index) for index in range(3)))
    with running_sink(settings, output) as sink:
        caught_up(sink, 3)
        sink.stop()
    (segment,) = list_segments(output / "results")
    path = output / "results" / segment.name

    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-1], b'{"other":1}\n']))
    code, log = run_sink(settings, output)
    assert (code, "has another record at offset" in log, "Traceback" in log) == (1, True, False), log


def test_a_full_disk_stops_it_and_room_lets_it_go_on(make_settings, tmp_path):
    """A limit on file sizes stands for the full disk: it gives EFBIG, and can be raised from outside."""
    settings, output = make_settings(), tmp_path / "out"
    document = make_document("a.md")
    limit = 150_000

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    with running_sink(settings, output, "--segment-ms", "100", preexec_fn=small) as sink:
        publish(settings, make_entry(document, 2), make_result(document, 0))
        caught_up(sink, 1)
        publish(settings, make_result(document, 1, text="long " * 60_000))
        eventually(lambda: "make room" in sink.log.read_text(), what=sink.lines)
        assert len(list_segments(output / "results")) == 1
        assert tree(output / "documents") == {}
        resource.prlimit(sink.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        eventually(lambda: sink.status()["documents"] == 1, what=sink.lines)
        assert sink.log.read_text().count("make room") == 1
        assert sink.stop() == 0
    assert stored(output) == topic_values(settings)


def test_without_a_broker_it_waits_and_stops_when_told(make_settings, tmp_path):
    settings = make_settings(bootstrap_servers="127.0.0.1:1")
    with running_sink(settings, tmp_path / "out") as sink:
        eventually(lambda: "waiting for a Kafka broker" in sink.log.read_text(), what=sink.lines)
        assert sink.stop() == 0


def test_it_stops_cleanly_although_its_broker_has_died(make_settings, tmp_path):
    document = make_document("a.md")
    with Broker(data_dir=tmp_path / "broker") as broker:
        settings = make_settings(bootstrap_servers=broker.bootstrap_servers)
        publish(settings, make_entry(document, 2), make_result(document, 0))
        with running_sink(settings, tmp_path / "out") as sink:
            caught_up(sink, 1)
            broker.kill()
            eventually(lambda: "Failed fetch messages" in sink.log.read_text(), what=sink.lines)
            assert sink.stop() == 0, sink.lines()
    assert "sink has stopped" in sink.lines()[-1]


def test_a_broker_that_was_wiped_and_filled_anew_while_it_was_frozen_is_refused(make_settings, tmp_path):
    results, output = [make_result(make_document("a.md"), index) for index in range(12)], tmp_path / "out"
    with Broker(data_dir=tmp_path / "broker") as broker:
        settings, port = make_settings(bootstrap_servers=broker.bootstrap_servers, partitions=1), broker.port
        publish(settings, *results[:5])
        with running_sink(settings, output) as sink:
            caught_up(sink, 5)
            before = stored(output)
            sink.process.send_signal(signal.SIGSTOP)
            broker.kill()
            with Broker(data_dir=tmp_path / "anew", port=port):
                publish(settings, *reversed(results))
                sink.process.send_signal(signal.SIGCONT)
                assert sink.process.wait(60) == 1, sink.lines()
    assert "is of Kafka cluster" in sink.lines()[-1]
    assert stored(output) == before


def test_a_broker_that_was_killed_and_comes_back_finds_it_waiting(make_settings, tmp_path):
    document, output = make_document("a.md"), tmp_path / "out"
    broker = Broker(data_dir=tmp_path / "broker")
    with broker:
        settings = make_settings(bootstrap_servers=broker.bootstrap_servers)
        publish(settings, make_entry(document, 2), make_result(document, 0))
        with running_sink(settings, output) as sink:
            caught_up(sink, 1)
            broker.kill()
            broker.start()
            publish(settings, make_result(document, 1))
            eventually(lambda: sink.status()["documents"] == 1, what=sink.lines)
            assert sink.stop() == 0
        assert stored(output) == topic_values(settings)
        assert Layout(output).index.exists()
