"""Chinese."""

from languages.language import Language
from languages.zh.comparisons import COMPARISONS
from languages.zh.numerals import NUMERALS
from languages.zh.pointing import POINTING
from languages.zh.quantities import ARITHMETIC, QUANTITIES
from languages.zh.questions import QUESTIONS
from languages.zh.units import UNITS
from languages.zh.words import WORDS
from languages.zh.writing import HEADING_STARTS, HEADINGS, SENTENCES, accepts, claims

CHINESE = Language(
    code="zh",
    name="Chinese",
    claims=claims,
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
