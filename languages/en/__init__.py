"""English. A text that no other language claims counts as English."""

from languages.en.quantities import QUANTITIES
from languages.en.questions import QUESTIONS
from languages.en.units import UNITS
from languages.en.words import WORDS, stem
from languages.en.writing import WRITING, accepts
from languages.language import Language

ENGLISH = Language(
    code="en", name="English", claims=lambda _: True, accepts=accepts,
    writing=WRITING, stem=stem, units=UNITS, quantities=QUANTITIES, words=WORDS, questions=QUESTIONS,
)  # fmt: skip
