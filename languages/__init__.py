"""What differs by language: how a text is recognised and split, numerals, units, and the word lists of the checks.

A language is a folder here with a `Language`, a line below, and prompt files with its code as suffix.
"""

from languages.en import ENGLISH
from languages.language import Language, Languages
from languages.zh import CHINESE

LANGUAGES = Languages(CHINESE, ENGLISH)


def language_of(text: str) -> Language:
    """The language that a text is in; English where nothing says otherwise."""
    return LANGUAGES.of(text)
