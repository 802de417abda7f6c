"""Recognition of answers that only repeat the question."""

import re

from consumer.worker.checks.duplicates import words_of
from consumer.worker.checks.quantities import plain
from languages import LANGUAGES

_LABEL = re.compile(rf"^\s*(?:{LANGUAGES.either(lambda it: it.questions.labels)})\s*[:：]\s*", re.IGNORECASE)
_YES_OR_NO = LANGUAGES.pattern(lambda it: it.questions.yes_or_no)
_CHOICE = LANGUAGES.pattern(lambda it: it.questions.choice)


def is_copy(question: str, answer: str) -> bool:
    """True for a copy. A yes-no question and a choice may be answered in their own words."""
    asked, given = _plain(question), _plain(answer)
    if _letters(asked) == _letters(given):
        return True
    if _YES_OR_NO.search(asked):
        return False
    before, after = words_of(asked), words_of(given)
    return not after - before and (not before - after or not _CHOICE.search(asked))


def _plain(text: str) -> str:
    return _LABEL.sub("", plain(text)).strip()


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
