"""What the extractive model makes."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["factual", "comparative", "reasoning", "open"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that one sentence answers."""

    type: Kind
    question: str
    answer: str
    reasoning: str


@dataclass(frozen=True, slots=True)
class Pair(Draft):
    """A draft with its sentence, word for word as the text has it."""

    evidence: str
