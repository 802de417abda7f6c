from datetime import UTC, datetime, timedelta

import pytest

from configs.errors import SettingsError
from consumer.dead_letters.letters import LetterFilter, parse_since
from consumer.dead_letters.replay import CannotReplayError, next_attempt
from schemas import Status
from tests.support.outcomes import make_chunk_of, make_document, make_letter, make_result

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FAILED = make_result(make_document("semi/a.md"), 3, attempt=4, status=Status.FAILED)
LETTER = make_letter(FAILED).model_copy(update={"created_at": NOW})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22T10:00+02:00", datetime(2026, 11, 22, 8, tzinfo=UTC)),
    ],
)
def test_since_takes_a_time_or_how_long_ago(text, moment):
    assert parse_since(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "-1h", "2 h", "2026-13-01"])
def test_since_says_what_it_takes(text):
    with pytest.raises(SettingsError, match="takes a time such as"):
        parse_since(text, NOW)


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        (LetterFilter(), True),
        (LetterFilter(reason="malformed"), True),
        (LetterFilter(reason="mal*"), True),
        (LetterFilter(reason="outage"), False),
        (LetterFilter(document="semi/*"), True),
        (LetterFilter(document="*.txt"), False),
        (LetterFilter(since=NOW), True),
        (LetterFilter(since=NOW + timedelta(seconds=1)), False),
        (LetterFilter(reason="malformed", document="x"), False),
    ],
)
def test_filters(wanted, takes):
    assert wanted.takes(LETTER) is takes


def test_a_letter_of_no_document_is_taken_by_no_path():
    assert not LetterFilter(document="a*").takes(LETTER.model_copy(update={"document": None}))


def test_the_next_attempt_is_the_chunk_as_it_was_with_its_number_raised():
    assert next_attempt(LETTER) == make_chunk_of(FAILED).model_copy(update={"attempt": 5})


def test_a_rejected_file_is_asked_to_be_read_again():
    request = next_attempt(LETTER.model_copy(update={"kind": "file"}))
    assert (request.action, request.document) == ("retry", LETTER.document)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "file", "document": None}, "a file that is not named"),
        ({"kind": "record"}, "a record that is no chunk"),
        ({"original": LETTER.original.model_copy(update={"truncated": True})}, "too large"),
        ({"original": LETTER.original.model_copy(update={"base64": "e30="})}, "can't be read"),
        ({"original": LETTER.original.model_copy(update={"base64": "?"})}, "can't be read"),
    ],
)
def test_what_can_not_be_replayed_says_why(changes, why):
    with pytest.raises(CannotReplayError, match=why):
        next_attempt(LETTER.model_copy(update=changes))
