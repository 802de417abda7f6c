"""Comparison of the words of question, answer and evidence, which must be about the same thing."""

from collections.abc import Iterator

from consumer.worker.checks.quantities import plain, quantities
from languages import LANGUAGES
from languages.words import IDLE, grams

_JUDGED = 4
"""Fewest words for a comparison: a shorter text may have quite different words."""
_ELSEWHERE = 3
_RECKONING = LANGUAGES.union(lambda it: it.words.reckoning)


def apart(
    question: str, answer: str, reasoning: str, evidence: str, text: frozenset[str], *, least: float
) -> Iterator[str]:
    """Reasons why the three are about different things. `text` is `prose` of the whole chunk.

    `least` is the share of the answer's words, 0 to 1, that must be in the chunk or the question. Numbers connect the
    evidence with the rest, but are no words of an answer, because an answer may work them out.
    """
    asked, given, quoted = grams(question), grams(answer), grams(evidence)
    said, numbers = prose(answer), _numbers(evidence)
    if len(said) >= _JUDGED and len(said & (asked | text)) < least * len(said) and not numbers & _numbers(answer):
        yield "the answer has hardly a word in common with question and text"
    elif (
        len(quoted) >= _JUDGED
        and not quoted & (asked | given | grams(reasoning))
        and not numbers & _numbers(f"{question}\n{answer}\n{reasoning}")
    ):
        yield "the evidence has no word in common with question and answer"
    elif len((said - asked) & text) >= _ELSEWHERE and not quoted & (given - asked) and not numbers & _numbers(answer):
        yield "what the answer says is in the text, but not in its evidence"


def _numbers(text: str) -> frozenset[float]:
    """The numbers of a text, as written and in base units, to six digits."""
    found = quantities(plain(text))
    return frozenset(
        float(f"{number:.5e}") for each in found for number in (each.value, each.size, each.value / each.scale)
    )


def prose(text: str) -> frozenset[str]:
    """The words of a text without its numbers and their units."""
    text = plain(text)
    parts: list[str] = []
    at = 0
    for quantity in quantities(text):
        parts.append(text[at : quantity.start])
        at = max(at, quantity.end)
    found = grams("|".join([*parts, text[at:]]))
    return frozenset(word for word in found if word < "\u2e80" or (IDLE | _RECKONING).isdisjoint(word))
