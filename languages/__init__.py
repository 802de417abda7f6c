"""Everything that differs by language: marks and headings, numerals, names of units, and the word lists of the checks.

A new language is a folder here that defines a `Language`, its name in `LANGUAGES`, and prompt files with its code as
suffix. Word lists may follow later: a list that a language leaves out takes no part in a check.
"""

from languages.en import ENGLISH
from languages.language import Languages
from languages.zh import CHINESE

LANGUAGES = Languages(CHINESE, ENGLISH)
language_of = LANGUAGES.of
