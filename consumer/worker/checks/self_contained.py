"""Whether a question can be understood by someone who has not seen the text."""

import re
from collections.abc import Iterator

from languages import LANGUAGES

_QUOTED = re.compile(r"'[^']{2,60}'(?!\w)|\"[^\"]{2,60}\"|“[^”]{2,60}”")
_OPTIONS = re.compile(
    rf"(?:[:：]|{LANGUAGES.either(lambda language: language.pointing.options)}).*\w\s*"
    rf"(?:[、,，]|{LANGUAGES.either(lambda language: language.pointing.joining)})\s*\w"
)
"""What is given to choose from."""
_CHOICE = re.compile(LANGUAGES.either(lambda language: language.pointing.choice), re.IGNORECASE)


def pointing(question: str) -> Iterator[str]:
    """What the question points at outside itself, with the words that do."""
    found = LANGUAGES.of(question).pointing.found
    question = _QUOTED.sub(lambda match: "X" * len(match[0]), question)
    yield from found(_CHOICE.sub(" ", question) if _OPTIONS.search(question) else question)
