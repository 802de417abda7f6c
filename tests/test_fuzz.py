"""Decoders of what others wrote, on bytes that nobody meant: each gives a value or its own error, and nothing else.

`make fuzz` runs it for about a minute; FUZZ_EXAMPLES says how many of each.
"""

import os
from contextlib import suppress
from dataclasses import asdict, fields
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.errors import SettingsError
from configs.guide import read_config
from configs.recipe_parts import Limits
from consumer.worker.group.offsets import OffsetTracker
from consumer.worker.model.language_model import readable
from consumer.worker.recipe.response_formats import (
    many_marks_format,
    marks_format,
    pairs_format,
    parse_many_marks,
    parse_marks,
    parse_pairs,
    parse_questions,
    questions_format,
)
from inference.chat import Completion
from inference.errors import ModelError
from inference.openai_wire import read_completion
from inference.vllm_metrics import parse_queue
from ledger.needs import Rules, need_of, outline_of
from messaging.committed import CommitPoint, MetadataError
from producer.errors import RejectedError
from producer.files.source import Found
from producer.text.decode import Decoder
from producer.text.splitting import Sizes, split
from schemas import DecodeError, LedgerEntry, PairType, Usage, decode, encode
from schemas.paths import unescape
from tests.schemas.test_messages import MESSAGES
from tools.contract import KINDS

fuzzed = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "50")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just("\ud800")
values = scalars | st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)

ANSWER_FIELDS = [field.name for field in fields(Completion)]


def written(value: Any) -> bytes:
    """As JSON, with all that JSON can't hold: NaN, numbers without end, halves of surrogate pairs."""
    import json

    return json.dumps(value).encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message of ours with something else in one place, or with other bytes in the middle."""
    data = encode(draw(st.one_of(*MESSAGES.values())))
    if draw(st.booleans()):
        at = draw(st.integers(0, len(data)))
        return data[:at] + draw(st.binary(max_size=6)) + data[at + draw(st.integers(0, 6)) :]
    message = orjson.loads(data)
    place = message
    while (inner := [v for v in place.values() if isinstance(v, dict) and v]) and draw(st.booleans()):
        place = draw(st.sampled_from(inner))
    place[draw(st.sampled_from(sorted(place)))] = draw(values)
    return written(message)


@pytest.mark.parametrize("kind", KINDS.values())
@fuzzed
@given(data=st.binary(max_size=200) | damaged() | values.map(written))
def test_what_is_decoded_can_be_encoded_and_is_the_same_again(kind, data):
    with suppress(DecodeError):
        message = decode(kind, data)
        assert decode(kind, encode(message)) == message


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"document":{"id":'])
@pytest.mark.parametrize("kind", KINDS.values())
def test_depth_is_bounded(kind, opening):
    with pytest.raises(DecodeError):
        decode(kind, opening.encode() * 200_000)


@fuzzed
@given(
    st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("gb18030", "ignore") + b"\x81"),
    st.sampled_from([None, "utf-8", "utf-16", "big5", "shift_jis", "utf-7", "idna", "punycode"]),
    st.integers(1, 50),
    st.integers(50, 300),
)
def test_bytes_of_a_file_become_chunks_or_are_rejected(data, encoding, piece, size):
    decoder = Decoder(encoding)
    with suppress(RejectedError):
        text = [decoder.feed(data[at : at + piece]) for at in range(0, len(data), piece)]
        text.append(decoder.feed(b"", final=True))
        for chunk in split(text, Sizes(size=size)):
            assert "".join(text)[chunk.start : chunk.end] == chunk.text
            chunk.text.encode()


@fuzzed
@given(st.integers(0, 2**63 - 1), st.text("0123456789abcdef-.,:;|/v1 ", max_size=60) | st.text(max_size=60))
def test_metadata_of_a_commit_is_read_or_refused(offset, metadata):
    with suppress(MetadataError):
        tracker = OffsetTracker(CommitPoint(offset, metadata))
        tracker.deliver(offset + 1)
        assert tracker.point().offset >= 0


@fuzzed
@given(data=damaged(), size=st.integers(0), mtime=st.integers())
def test_any_entry_of_the_ledger_says_what_its_file_needs(data, size, mtime):
    with suppress(DecodeError):
        entry = decode(LedgerEntry, data)
        unescape(entry.document.path)
        assert need_of(outline_of(entry), Found(entry.document.path, "place", size, mtime), Rules(entry.splitter, 100))


@fuzzed
@given(st.binary(max_size=100) | values.map(written), values)
def test_any_answer_of_a_model_is_what_was_asked_for_or_malformed(content, value):
    text = content.decode(errors="surrogateescape")
    limits, criteria = Limits(), ["depth"]
    for read in (
        partial(parse_pairs, wanted=pairs_format(limits, 3)),
        partial(parse_questions, wanted=questions_format(limits, dict.fromkeys(PairType, 2))),
        partial(parse_marks, wanted=marks_format(limits, criteria), criteria=criteria),
        partial(parse_many_marks, wanted=many_marks_format(limits, criteria, 2), criteria=criteria, count=2),
    ):
        with suppress(ModelError):
            read(text)
    message = {"content": value, "reasoning": value}
    usage = {"prompt_tokens": value, "prompt_tokens_details": value}
    for reply in (value, {"choices": [{"finish_reason": "stop", "message": message}], "usage": usage}):
        with suppress(ModelError):
            answer = read_completion(reply, "http://model")
            orjson.dumps([answer.content, answer.reasoning, answer.prompt_tokens, answer.cached_prompt_tokens])


@fuzzed
@given(
    st.binary(max_size=100)
    | st.dictionaries(
        st.sampled_from(ANSWER_FIELDS), values | st.just("ok") | st.just(7), min_size=len(ANSWER_FIELDS)
    ).map(written)
)
def test_any_entry_of_the_cache_is_an_answer_or_asked_for_again(data):
    answer = readable(data, str.strip)
    if answer is not None:
        assert answer.endpoint.strip() is not None
        Usage(prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens)
        assert readable(orjson.dumps(asdict(answer)), str.strip) == answer


@fuzzed
@given(st.text(max_size=80) | st.floats().map(str))
def test_any_metrics_are_a_queue_or_none(value):
    name = "vllm:num_requests_"
    sample = parse_queue(f"{name}running {value}\n{name}waiting{{}} 1e400\n{value}")
    assert sample is None or sample.running >= 0


@fuzzed
@given(data=st.binary(max_size=100) | values.map(written))
def test_any_settings_file_is_read_or_refused(data, tmp_path):
    (tmp_path / "config.json").write_bytes(data)
    with suppress(SettingsError):
        read_config(str(tmp_path / "config.json"))
