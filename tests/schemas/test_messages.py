from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas import (
    Chunk,
    ChunkRef,
    CompleteVersion,
    DeadLetter,
    DecodeError,
    Document,
    Evidence,
    FileState,
    LedgerEntry,
    ModelRef,
    Origin,
    Original,
    OutcomeError,
    Pair,
    PairType,
    Reason,
    RecipeRef,
    RejectedPair,
    ReplayMarker,
    Request,
    Result,
    Status,
    Timing,
    Usage,
    decode,
    encode,
)  # fmt: skip
from schemas.ids import chunk_id, content_key, digest, document_id
from schemas.messages import MOST
from tools.contract import FOLDER, KINDS

text = st.text(st.characters(codec="utf-8"), max_size=20)
ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
sha256s = st.binary(min_size=32, max_size=32).map(bytes.hex)
counts = st.integers(0, 2**53)
numbers = st.integers(0, MOST)
times = st.datetimes(timezones=st.just(UTC))
tuples = partial(st.lists, max_size=3)


def some(kind, /, **fields):
    return st.builds(kind, **fields)


documents = some(Document, id=ids, source=text, path=text, version=st.integers(1, MOST), title=text)
origins = some(Origin, topic=text, partition=numbers, offset=counts)
evidences = some(Evidence, text=text, start=counts, end=counts)
pairs = some(
    Pair, id=ids, type=st.sampled_from(PairType), question=text, answer=text, reasoning=text, language=text,
    evidence=tuples(evidences).map(tuple), scores=st.dictionaries(text, st.floats(0, 1), max_size=2), thinking=text,
)  # fmt: skip
reasons = some(Reason, check=text, detail=text)
rejected = some(RejectedPair, pair=pairs, reasons=tuples(reasons).map(tuple))
asked = st.dictionaries(st.sampled_from(PairType), numbers)
models = some(ModelRef, name=text, root=text, endpoint=text)
refs = some(
    ChunkRef, id=ids, index=numbers, start=counts, end=counts, text=text, headings=tuples(text).map(tuple),
    content_key=ids,
)  # fmt: skip
complete = some(
    CompleteVersion, version=st.integers(1, 99), generation=numbers, chunks=numbers, characters=counts,
    size_bytes=counts, sha256=sha256s, splitter=ids,
)  # fmt: skip
errors = some(OutcomeError, error_class=text, message=text, attempts=numbers)
usages = some(
    Usage, calls=counts, cached_calls=counts, prompt_tokens=counts, cached_prompt_tokens=counts,
    completion_tokens=counts,
)  # fmt: skip
MESSAGES = {
    Chunk: some(
        Chunk, chunk_id=ids, document=documents, generation=numbers, attempt=numbers, sample=numbers, index=numbers, start=counts,
        end=counts, headings=tuples(text).map(tuple), text=text, content_key=ids,
    ),
    LedgerEntry: some(
        LedgerEntry, document=documents, generation=numbers, sample=numbers, state=st.sampled_from(FileState), size_bytes=counts,
        mtime_ns=st.integers(-(2**62), 2**62), sha256=st.none() | sha256s, encoding=st.none() | text, splitter=ids,
        next_byte=counts, next_char=counts, chunks=numbers, complete=st.none() | complete, reason=st.none() | text,
        updated_at=times,
    ),
    Result: some(
        Result, record_id=ids, status=st.sampled_from(Status), document=documents, chunk=refs, generation=numbers,
        attempt=numbers, pairs=tuples(pairs).map(tuple), rejected=tuples(rejected).map(tuple),
        planned=asked, asked=asked, skipped=st.none() | reasons,
        text_scores=st.dictionaries(text, st.floats(0, 1), max_size=2),
        recipe=some(RecipeRef, name=text, hash=ids), model=models, judge=st.none() | models,
        usage=usages, timing=some(Timing, total_ms=st.floats(0, 1e9), model_ms=st.floats(0, 1e9)),
        error=st.none() | errors, origin=origins, created_at=times,
    ),
    DeadLetter: some(
        DeadLetter, letter_id=ids, kind=st.sampled_from(["chunk", "file", "record"]), reason=text, error_class=text,
        attempts=numbers, document=st.none() | documents, chunk_id=st.none() | ids, generation=numbers, attempt=numbers,
        original=some(Original, base64=text, size_bytes=counts, sha256=st.none() | sha256s, truncated=st.booleans()),
        headers=st.dictionaries(text, text, max_size=2), origin=st.none() | origins, created_at=times,
    ),
    Request: some(
        Request, request_id=ids, action=st.sampled_from(["regenerate", "forget", "retry"]), fresh=st.booleans(),
        document=documents, created_at=times,
    ),
    ReplayMarker: some(ReplayMarker, letter_id=ids, attempt=numbers, created_at=times),
}  # fmt: skip


@pytest.mark.parametrize("kind", MESSAGES)
@given(data=st.data())
def test_every_message_survives_the_wire_and_fits_the_published_schema(kind, data: st.DataObject):
    message = data.draw(MESSAGES[kind])
    wire = encode(message)
    assert b"\n" not in wire
    assert decode(kind, wire) == message
    name = next(name for name, each in KINDS.items() if each is kind)
    Draft202012Validator(orjson.loads((FOLDER / f"{name}.json").read_bytes())).validate(orjson.loads(wire))


@given(st.binary())
def test_any_bytes_are_a_message_or_a_decode_error(data: bytes):
    for kind in (Chunk, Result, LedgerEntry, DeadLetter):
        with pytest.raises(DecodeError):
            decode(kind, data)


@pytest.mark.parametrize("data", [None, b"", b"null", b"[]", b"{}", b"[" * 100_000, b'{"schema": "other/1"}'])
def test_what_is_wrong_is_said(data: bytes | None):
    with pytest.raises(DecodeError, match=r"\w+"):
        decode(Chunk, data)


def test_a_decode_error_does_not_quote_the_text():
    with pytest.raises(DecodeError) as error:
        decode(Chunk, b'{"text": ["a secret"], "index": "a secret"}')
    assert "a secret" not in str(error.value)


def test_fields_of_tomorrow_are_ignored():
    marker = orjson.loads(encode(ReplayMarker(letter_id="0" * 32, attempt=1, created_at=datetime.now(UTC))))
    assert decode(ReplayMarker, orjson.dumps(marker | {"new": 1})).attempt == 1


def test_nothing_else_is_published():
    assert {path.stem for path in Path(FOLDER).glob("*.json")} == set(KINDS)


def test_ids_of_different_things_differ():
    assert digest("ab", "c") != digest("a", "bc")
    assert document_id("s", "p") != document_id("sp", "")
    assert chunk_id("d", 1, 12) != chunk_id("d", 11, 2)
    assert content_key("text", ("a", "b")) != content_key("text", ("ab",))
