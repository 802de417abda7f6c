"""English. A text that no other language claims counts as English."""

from languages.en.comparisons import COMPARISONS
from languages.en.numerals import NUMERALS
from languages.en.pointing import POINTING
from languages.en.quantities import ARITHMETIC, QUANTITIES
from languages.en.questions import QUESTIONS
from languages.en.units import UNITS
from languages.en.words import WORDS
from languages.en.writing import HEADING_STARTS, HEADINGS, SENTENCES, accepts
from languages.language import Language

ENGLISH = Language(
    code="en",
    name="English",
    claims=lambda _: True,
    accepts=accepts,
    sentences=SENTENCES,
    headings=HEADINGS,
    heading_starts=HEADING_STARTS,
    numerals=NUMERALS,
    units=UNITS,
    quantities=QUANTITIES,
    arithmetic=ARITHMETIC,
    words=WORDS,
    comparisons=COMPARISONS,
    questions=QUESTIONS,
    pointing=POINTING,
)
