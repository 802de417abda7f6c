"""Recognition of English, its marks, abbreviations and headings."""

import re

from languages.language import Writing
from languages.scripts import foreign_letters, han, latin_words

WRITING = Writing(
    spaced_ends=".!?",
    spaced_clause_ends=",;:",
    abbreviations=frozenset(
        "e.g i.e etc vs cf al fig figs eq eqs no nos vol ch sec ref refs approx dr mr mrs ms prof st inc ltd co dept".split()
    ),
    headings=(
        (re.compile(r"(?:Chapter|Part|CHAPTER|PART)\s+(?:\d+|[IVXLC]+)\b"), 1),
        (re.compile(r"(?:Section|SECTION)\s+\d+"), 2),
    ),
    heading_starts="CPS",
)


def accepts(text: str) -> bool:
    """True when no character is Chinese, or there are more English words than pairs of Chinese characters."""
    chinese = han(text) / 2
    return foreign_letters(text) <= 1 and (chinese == 0 or latin_words(text) > chinese)
