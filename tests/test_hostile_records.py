"""Records that are not ours on every topic: every command goes on, and the good records are all there."""

import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.waiting import eventually
from consumer.dataset.report.tally import ReportTally
from ledger.account import Account
from ledger.outcome import OutcomeSummary, ResultPosition
from output.formats.features import arrow_schema
from output.formats.pair_row import FEATURES, pair_row
from output.index.tables import Index
from output.segments.naming import Segment
from output.segments.records import StoredRecord
from schemas import Chunk, DeadLetter, DecodeError, LedgerEntry, Request, Result, TopicNames, decode, encode
from schemas.ids import request_id
from schemas.messages import Message, now
from tests.support.outcomes import (
    make_chunk_of,
    make_document,
    make_entry,
    make_letter,
    make_result,
    publish,
    running_sink,
)

EVIL = make_document("evil.md")
GOOD = make_document("good.md")
REQUEST = Request(request_id=request_id(EVIL.id, 1), action="retry", document=EVIL, created_at=now())
MODELS: dict[str, Message] = {
    "chunks": make_chunk_of(make_result(EVIL)),
    "files": make_entry(EVIL, 1),
    "results": make_result(EVIL, rejected=1),
    "dead_letters": make_letter(make_result(EVIL)),
    "requests": REQUEST,
}
NUMBERS = ("0", True, 1.5, -1, 2**31, 2**45, 2**63 - 1, 2**64, 10**400, None, [], float("1e9"))
OTHER: tuple[bytes, ...] = (
    b"", b"null", b"[]", b"{}", b"1", b"\xff\xfe\x00", b"[" * 100_000, b'{"schema":"qastream.raw/1","base64":null}',
    b'{"schema":"qastream.other/1"}', b'{"\\ud800":1}', b"not\njson\x1b[31m",
)  # fmt: skip


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yields the paths of all fields of a record."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*path, name)
        yield from places(inner, (*path, name))


def changed(message: Message, path: tuple[str | int, ...], value: Any) -> bytes:
    """Returns the record with another value at a place; ... takes the field away."""
    found = orjson.loads(encode(message))
    inner = found
    for name in path[:-1]:
        inner = inner[name]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = deepcopy(value)
    import json

    return json.dumps(found).encode()


def hostile(message: Message) -> list[bytes]:
    fields = list(places(orjson.loads(encode(message))))
    numbers = [path for path in fields if path[-1] in ("generation", "version", "index", "attempt", "offset", "chunks")]
    found = [changed(message, path, value) for path in numbers for value in NUMBERS]
    found += [changed(message, path, ...) for path in fields]
    found += [changed(message, path, "2026-01-01T00:00:00") for path in fields if str(path[-1]).endswith("_at")]
    if isinstance(message, Result):
        found += [changed(message, ("pairs", 0, "scores"), {"\x1b[31m": value}) for value in (1e9, "1", True, -1)]
    return [*OTHER, *found]


def readable(result: Result, record: bytes) -> None:
    """Reads a record that counts as a result as index, Parquet, report and account do."""
    raw = orjson.loads(record)
    raw.setdefault("pairs", [])
    raw.setdefault("rejected", [])
    pa = pytest.importorskip("pyarrow")
    rows = [pair_row(pair, raw, None) for pair in raw["pairs"]]
    for row in rows:
        row["scores"] = [{"name": name, "value": value} for name, value in row["scores"].items()]
    pa.Table.from_pylist(rows, schema=arrow_schema(FEATURES, {}))
    tally = ReportTally()
    tally.take(raw)
    tally.end_document("path")
    account = Account()
    account.take_outcome(decode(OutcomeSummary, record), ResultPosition(0, 0))
    account.take_entry(make_entry(result.document, 2**31 - 1))


@pytest.mark.parametrize("topic", MODELS)
def test_a_changed_record_is_refused_or_every_reader_can_hold_it(topic: str, tmp_path: Path) -> None:
    kind, index = type(MODELS[topic]), Index(tmp_path / "index.sqlite")
    for number, record in enumerate(hostile(MODELS[topic])):
        try:
            message = decode(kind, record)
        except DecodeError as exc:
            assert str(exc).isprintable()
            continue
        if isinstance(message, Result):
            readable(message, record)
            segment = Segment("t", 0, number, number)
            index.add_segment(segment, len(record), [(StoredRecord(segment, 0, len(record), record), message)])
        elif isinstance(message, LedgerEntry):
            index.add_entries([message], {})
    index.close()


@given(st.sampled_from(list(MODELS)), st.data())
def test_arbitrary_changes_are_a_message_or_a_decode_error(topic: str, data: st.DataObject) -> None:
    record = bytearray(encode(MODELS[topic]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(record) - 1))
        record[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        record = record or bytearray(b"0")
    for kind in (Chunk, LedgerEntry, Result, DeadLetter, Request, OutcomeSummary):
        try:
            message = decode(kind, bytes(record))
        except DecodeError:
            continue
        encode(message)
        if isinstance(message, Result):
            readable(message, bytes(record))


def test_every_command_passes_over_them(make_settings, tmp_path: Path) -> None:
    settings = make_settings()
    names, output, source = TopicNames(settings.kafka.namespace), tmp_path / "out", tmp_path / "texts"
    source.mkdir()
    (source / "new.txt").write_text("A new text.")
    strange = [
        (getattr(names, topic), record)
        for topic, message in MODELS.items()
        for record in hostile(message)[: len(OTHER)] + hostile(message)[len(OTHER) :: 3]
    ]
    good = [make_result(GOOD, 0), make_result(GOOD, 1)]
    publish(settings, good[0], *map(make_chunk_of, good), *strange, good[1], make_entry(GOOD, 2))

    kafka = ("--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace)

    def run(*command: str, codes: tuple[int, ...], reach: tuple[str, ...] = kafka) -> str:
        done = subprocess.run([sys.executable, "-m", *command, *reach], capture_output=True, timeout=60, check=False)
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert "Traceback" not in said, (command, said[-3000:])
        assert done.returncode in codes, (command, said[-3000:])
        return done.stdout.decode(errors="replace")

    at = ("--output-dir", str(output))
    with running_sink(settings, output, "--formats", "documents,parquet") as sink:
        eventually(lambda: (output / "documents" / "@texts" / "good.md.json").exists()
                   or (output / "documents" / "good.md.json").exists(), what=sink.lines)  # fmt: skip
        assert sink.stop() == 0, sink.lines()[-20:]
    assert "Traceback" not in sink.log.read_text()
    run("producer", "--once", "--input-dir", str(source), codes=(0,))
    run("pipeline", "status", "--json", codes=(0,))
    assert run("pipeline", "read", codes=(0,)).count(GOOD.id) == 2
    assert "\x1b" not in run("consumer", "dead-letters", "list", codes=(0, 3))
    run("consumer", "dead-letters", "replay", codes=(0, 3))
    assert "\x1b" not in run("consumer", "verify", *at, codes=(1, 3))
    run("consumer", "export", *at, "--format", "jsonl", "--keep-duplicates", codes=(0,), reach=())
    run("consumer", "report", *at, codes=(0,), reach=())
    exported = (output / "exports" / "jsonl" / "train.jsonl").read_text()
    assert all(pair.id in exported for result in good for pair in result.pairs)
    for action in ("regenerate", "forget", "retry"):
        run("producer", action, "--match", "*", "--dry-run", codes=(0,))
    run("producer", "repair", codes=(0,))
    run("consumer", "rebuild-offsets", codes=(0, 1))
