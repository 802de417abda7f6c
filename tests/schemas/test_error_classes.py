import pytest

from schemas import DeadLetter, OutcomeError, decode
from schemas.error_classes import ERROR_CLASSES, Retry
from tests.support.outcomes import make_document, make_letter, make_result


def test_every_class_that_ends_in_a_letter_tells_the_user_what_to_do() -> None:
    for each in ERROR_CLASSES.values():
        assert bool(each.advice) is each.in_letters is (each.retry is not Retry.UNTIL_ANSWERED)


def test_only_calls_are_made_again() -> None:
    assert all(each.of_call for each in ERROR_CLASSES.values() if each.retry is not Retry.NEVER)


def test_a_class_that_is_tried_again_has_its_own_wait_unless_it_is_tried_at_once() -> None:
    for each in ERROR_CLASSES.values():
        assert bool(each.longest_wait_s) is (each.retry in {Retry.UNTIL_ANSWERED, Retry.ATTEMPTS})


@pytest.mark.parametrize(("written", "shown"), [("too large", "too_large"), ("too_large", "too_large"), ("new", "new")])
def test_the_spelling_of_earlier_versions_is_read_as_todays(written: str, shown: str) -> None:
    letter = make_letter(make_result(make_document("a.txt"), 0)).model_dump(mode="json", by_alias=True) | {
        "error_class": written
    }
    assert DeadLetter.model_validate(letter).error_class == shown
    assert decode(OutcomeError, f'{{"error_class": "{written}", "message": ""}}'.encode()).error_class == shown
