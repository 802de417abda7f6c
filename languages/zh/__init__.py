"""Chinese."""

from languages.language import Language
from languages.zh.quantities import QUANTITIES
from languages.zh.questions import QUESTIONS
from languages.zh.units import UNITS
from languages.zh.words import WORDS
from languages.zh.writing import WRITING, accepts, claims

CHINESE = Language(
    code="zh", name="Chinese", claims=claims, accepts=accepts,
    writing=WRITING, units=UNITS, quantities=QUANTITIES, words=WORDS, questions=QUESTIONS,
)  # fmt: skip
