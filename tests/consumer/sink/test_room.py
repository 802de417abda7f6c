"""The sink as users run it, on a disk that is full again and again, and killed while it is."""

import asyncio

import pytest

from chaos.room import Room, small_room
from chaos.waiting import eventually
from output.segments.naming import parse_name
from output.segments.records import iter_records
from schemas import TopicNames
from tests.support.outcomes import (
    SinkProcess,
    make_document,
    make_entry,
    make_result,
    publish,
    running_sink,
    values_by_partition,
)

WINDOWS = 4
FLAGS = ("--segment-ms", "50", "--formats", "documents,parquet")
LARGE = "long text " * 30_000


def nothing_partial(output) -> None:
    for path in (output / "results").glob("[!.]*"):
        assert parse_name(path.name)
        assert path.read_bytes().endswith(b"\n")
    assert all(path.read_bytes().endswith(b"]}\n") for path in (output / "documents").rglob("*.json"))
    assert all(path.read_bytes().endswith(b"PAR1") for path in (output / "parquet").rglob("*.parquet"))


def window_without_room(settings, sink: SinkProcess, room: Room, name: str) -> None:
    """While there is none, results come in; the sink says that it can't write them, and shows none of them."""
    eventually(sink.is_up, what=sink.lines)
    said = sink.log.read_text().count("make room")
    document = make_document(name)
    room.take(sink.process.pid)
    publish(settings, make_entry(document, 2), *(make_result(document, index, text=LARGE) for index in range(2)))
    eventually(lambda: sink.log.read_text().count("make room") > said, what=sink.lines)
    nothing_partial(sink.output)
    assert not (sink.output / "documents" / f"{name}.json").exists()


def all_documents(sink: SinkProcess, count: int) -> None:
    eventually(sink.is_up, what=sink.lines)
    eventually(lambda: sink.status().get("documents") == count, what=sink.lines)
    nothing_partial(sink.output)
    assert sink.stop() == 0


@pytest.mark.parametrize("killed", [False, True], ids=["waiting", "killed"])
def test_windows_without_room_lose_nothing_and_show_nothing_partial(make_settings, tmp_path, killed):
    settings, output = make_settings(), tmp_path / "out"
    with small_room(output) as room:
        for window in range(WINDOWS):
            with running_sink(settings, output, *FLAGS) as sink:
                window_without_room(settings, sink, room, f"d{window}.md")
                if killed:
                    sink.process.kill()
                room.give_back(sink.process.pid)  # before it is waited for: the pid is still its own
                if not killed:
                    all_documents(sink, window + 1)
        with running_sink(settings, output, *FLAGS) as sink:
            all_documents(sink, WINDOWS)
        found: dict[int, list[bytes]] = {}
        for record in iter_records(output):
            found.setdefault(record.segment.partition, []).append(record.value)
        assert found == asyncio.run(values_by_partition(settings, TopicNames(settings.kafka.namespace).results))
        assert sorted(path.name for path in (output / "parquet").iterdir()) == [
            f"d{window}.md.parquet" for window in range(WINDOWS)
        ]
