"""Sinks that share the partitions, as users run them, against a real broker."""

import asyncio
import random
import subprocess
import sys
from contextlib import ExitStack

import orjson
import pytest

from chaos.waiting import eventually
from consumer.dataset.errors import DatasetError
from consumer.dataset.pairs import iter_pairs
from consumer.dataset.report.gathering import gather
from output.layout import Layout
from output.segments.naming import list_segments
from output.segments.records import iter_records
from output.share import Share
from schemas import FileState, TopicNames
from tests.support.outcomes import (
    Publisher,
    make_chunk_of,
    make_document,
    make_entry,
    make_result,
    publish,
    running_sink,
    values_by_partition,
)
from tests.support.outputs import times, tree

DOCUMENTS = [make_document(f"part-{number % 4}/{number}.md") for number in range(24)]
RESULTS = [make_result(document, index, rejected=index) for document in DOCUMENTS for index in range(2)]
ENTRIES = [make_entry(document, 2) for document in DOCUMENTS]
ALL = [*map(make_chunk_of, RESULTS), *RESULTS, *ENTRIES]


def placed(count: int, share: str) -> set[str]:
    """Paths of the documents whose results are in these partitions."""
    owns = Share.parse(share).documents(count)
    return {document.path for document in DOCUMENTS if owns(document.id)}


def written(output) -> set[str]:
    return {name.removesuffix(".json") for name in tree(output / "documents")}


def stored(output) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    for record in iter_records(output):
        found.setdefault(record.segment.partition, []).append(record.value)
    return found


def topic_values(settings) -> dict[int, list[bytes]]:
    return asyncio.run(values_by_partition(settings, TopicNames(settings.kafka.namespace).results))


def run_sinks(settings, output, *shares: str) -> None:
    """Until each has written all documents that are its own."""
    with ExitStack() as stack:
        sinks = [stack.enter_context(running_sink(settings, output, "--only-partitions", share)) for share in shares]
        for sink, share in zip(sinks, shares, strict=True):
            count = len(placed(settings.kafka.partitions, share))
            eventually(lambda sink=sink, count=count: sink.is_up() and sink.status().get("documents") == count)
            assert sink.status()["waiting"] == 0
        assert [sink.stop() for sink in sinks] == [0] * len(sinks)


def run(command: str, settings, output, *arguments: str) -> tuple[int, str, str]:
    finished = subprocess.run(
        [sys.executable, "-m", "consumer", command, "--output-dir", output, "--bootstrap-servers", settings.kafka.brokers,
         "--namespace", settings.kafka.namespace, *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in finished.stderr
    return finished.returncode, finished.stdout, finished.stderr


def pairs(output) -> list[str]:
    return [f"{exported.result['document']['path']} {exported.pair['id']}" for exported in iter_pairs(Layout(output))]


def test_two_sinks_fill_one_directory_as_one_sink_does(make_settings, tmp_path):
    settings, output, alone = make_settings(), tmp_path / "out", tmp_path / "alone"
    publish(settings, *ALL)
    run_sinks(settings, output, "0", "1-2")
    run_sinks(settings, alone, "all")
    assert stored(output) == stored(alone) == topic_values(settings)
    assert tree(output / "documents") == tree(alone / "documents")
    assert all(0 < len(placed(3, share)) < len(DOCUMENTS) for share in ("0", "1-2"))
    code, said, _ = run("verify", settings, output, "--json")
    assert (code, orjson.loads(said)["partitions"], orjson.loads(said)["documents_complete"]) == (0, "all", 24)
    assert pairs(output) == pairs(alone)
    assert len(pairs(output)) == 2 * len(RESULTS)
    together, apart = gather(Layout(output)), gather(Layout(alone))
    assert (together.documents, together.chunks, together.pairs) == (apart.documents, apart.chunks, apart.pairs)


def test_two_sinks_fill_a_directory_each(make_settings, tmp_path):
    settings, one, two = make_settings(), tmp_path / "one", tmp_path / "two"
    publish(settings, *ALL)
    run_sinks(settings, one, "0-1")
    run_sinks(settings, two, "2")
    assert written(one) == placed(3, "0-1")
    assert written(two) == placed(3, "2")
    assert stored(one) | stored(two) == topic_values(settings)
    for output, share in ((one, "0-1"), (two, "2")):
        code, said, _ = run("verify", settings, output)
        assert (code, f"Partitions {share} of the results" in said) == (0, True), said
    (segment,) = (segment for segment in list_segments(one / "results") if segment.partition == 1)
    (one / "results" / segment.name).unlink()
    assert run("verify", settings, one)[0] == 1


def test_a_partition_that_has_a_sink_or_is_not_there_is_refused(make_settings, tmp_path):
    settings, output = make_settings(), tmp_path / "out"
    with running_sink(settings, output, "--only-partitions", "0-1") as sink:
        eventually(sink.status, what=sink.lines)
        for share, said in (("1-2", "writes partition 1 to"), ("all", "writes to")):
            code, _, error = run("sink", settings, output, "--only-partitions", share)
            assert (code, f"pid {sink.process.pid} on" in error, said in error) == (1, True, True), error
        code, _, error = run("sink", settings, output, "--only-partitions", "2-3")
        assert (code, "has 3 partitions. Takes numbers from 0 to 2, such as 0-1; or all" in error) == (2, True), error
        assert sink.stop() == 0
    code, _, error = run("sink", settings, output, "--only-partitions", "0..2")
    assert (code, "such as 0-5,7" in error) == (2, True), error
    code, _, error = run("sink", settings, output, "--partitions", "0-2")
    assert (code, "--only-partitions" in error) == (2, True), error


def test_others_take_over_from_what_is_on_disk(make_settings, tmp_path):
    """From two to one to two others: nothing is written again that is there, and what is new comes to it."""
    settings, output = make_settings(), tmp_path / "out"
    publish(settings, *ALL)
    run_sinks(settings, output, "0", "1-2")
    content = tree(output / "documents")
    stamps = times(output / "documents", content)
    run_sinks(settings, output, "all")
    assert [sink.share for sink in Layout(output).sinks()] == [Share()]
    run_sinks(settings, output, "0-1")
    with pytest.raises(DatasetError, match="has partitions 2, of which no sink keeps an index"):
        pairs(output)
    run_sinks(settings, output, "2")
    assert times(output / "documents", content) == stamps
    old, new = DOCUMENTS[0], DOCUMENTS[1].model_copy(update={"version": 2})
    publish(settings, make_entry(old, 2, state=FileState.FORGOTTEN), make_result(new, 0), make_entry(new, 1))
    with ExitStack() as stack:
        for share in ("0-1", "2"):
            stack.enter_context(running_sink(settings, output, "--only-partitions", share))
        eventually(lambda: not (output / "documents" / f"{old.path}.json").exists())
        path = output / "documents" / f"{new.path}.json"
        eventually(lambda: orjson.loads(path.read_bytes())["document"]["version"] == 2)
    assert not any(pair.startswith(f"{old.path} ") for pair in pairs(output))
    assert stored(output) == topic_values(settings)


def test_a_rebuild_of_some_partitions_leaves_the_others_alone(make_settings, tmp_path):
    settings, output = make_settings(), tmp_path / "out"
    publish(settings, *ALL)
    run_sinks(settings, output, "0", "1-2")
    content = tree(output / "documents")
    with running_sink(settings, output, "--only-partitions", "0") as other:
        eventually(other.is_up, what=other.lines)
        for name in placed(3, "1-2"):
            (output / "documents" / f"{name}.json").unlink()
        assert run("sink", settings, output, "--rebuild", "--only-partitions", "1-2")[0] == 0
        assert other.stop() == 0
    assert tree(output / "documents") == content
    assert run("verify", settings, output)[0] == 0


def test_kills_of_two_sinks_lose_and_double_nothing(make_settings, tmp_path):
    """kill -9 at random moments of either, whose remains the other one must leave alone."""
    settings, output, chance = make_settings(), tmp_path / "out", random.Random(4)
    quick = ("--segment-ms", "20", "--segment-bytes", "65536")

    async def produce() -> None:
        async with Publisher(settings) as publisher:
            await publisher.publish(ENTRIES)
            for start in range(0, len(RESULTS), 2):
                await publisher.publish(RESULTS[start : start + 2])
                await asyncio.sleep(0.25)

    async def keep_killing(share: str, producing: asyncio.Task[None]) -> int:
        kills = 0
        while not producing.done() or kills < 3:
            with running_sink(settings, output, "--only-partitions", share, *quick) as sink:
                await asyncio.to_thread(eventually, sink.is_up)
                await asyncio.sleep(chance.random() * 0.6)
            kills += 1
        return kills

    async def both() -> list[int]:
        producing = asyncio.create_task(produce())
        kills = await asyncio.gather(keep_killing("0", producing), keep_killing("1-2", producing))
        await producing
        return kills

    assert min(asyncio.run(both())) >= 3
    run_sinks(settings, output, "0", "1-2")
    assert stored(output) == topic_values(settings)
    assert written(output) == {document.path for document in DOCUMENTS}
    assert not list((output / "results").glob(".*"))
