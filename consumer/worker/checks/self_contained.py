"""Recognition of questions that make sense only to a reader of the text."""

import re
from collections.abc import Iterator

from languages import LANGUAGES

_QUOTED = re.compile(r"'[^']{2,60}'(?!\w)|\"[^\"]{2,60}\"|“[^”]{2,60}”")
_OPTIONS = re.compile(
    rf"(?:[:：]|{LANGUAGES.either(lambda it: it.questions.options)}).*\w\s*"
    rf"(?:[、,，]|{LANGUAGES.either(lambda it: it.questions.option_joining)})\s*\w"
)
"""Matches a list of things to choose from."""
_CHOICE = LANGUAGES.pattern(lambda it: it.questions.option_pointing)


def pointing(question: str) -> Iterator[str]:
    """Descriptions of the words by which the question points at something outside itself."""
    found = LANGUAGES.of(question).questions.pointing
    question = _QUOTED.sub(lambda match: "X" * len(match[0]), question)
    yield from found(_CHOICE.sub(" ", question) if _OPTIONS.search(question) else question)
