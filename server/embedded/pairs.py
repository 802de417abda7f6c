"""Finds question/answer pairs in a text. A pair depends on its own sentence only, never on the sentences around it."""

from dataclasses import dataclass
from functools import lru_cache

from languages import language_of
from server.embedded import chinese, english
from server.embedded.sentences import one_line, sentences

_RULES = {"zh": (chinese.questions, "原文直接说明了这一点："), "en": (english.questions, "The text says it directly: ")}
_NO_RULES = (lambda _: (), "")  # a language without rules here: the model asks nothing


@dataclass(frozen=True, slots=True)
class ExtractedPair:
    """A question that one sentence answers, with that sentence as the text has it."""

    type: str
    question: str
    answer: str
    reasoning: str
    evidence: str


@lru_cache(maxsize=64)
def extract(text: str) -> tuple[ExtractedPair, ...]:
    """Pairs of a text in its order, each question once. They are cached: all stages of a chunk ask about one text."""
    pairs: dict[str, ExtractedPair] = {}
    for sentence in sentences(text):
        line = one_line(sentence)
        questions, said = _RULES.get(language_of(line).code, _NO_RULES)
        for kind, question, answer in questions(line):
            pair = ExtractedPair(kind, question, answer, said + line, evidence=sentence)
            pairs.setdefault(question.casefold(), pair)
    return tuple(pairs.values())
