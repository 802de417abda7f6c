"""Pairs from a text. Pure: a pair depends on its own sentence only, never on what stands around it."""

from collections.abc import Iterator

from server.embedded import chinese, english
from server.embedded.pair import Draft, Pair
from server.embedded.sentences import is_chinese, one_line, sentences


def extract(text: str) -> list[Pair]:
    """All pairs, in the order of the text; of those that ask the same, the first."""
    pairs: dict[str, Pair] = {}
    for sentence in sentences(text):
        for draft in _drafts(one_line(sentence)):
            if _folded(draft.question) != _folded(draft.answer):
                pair = Pair(draft.type, draft.question, draft.answer, draft.reasoning, evidence=sentence)
                pairs.setdefault(_folded(draft.question), pair)
    return list(pairs.values())


def _drafts(sentence: str) -> Iterator[Draft]:
    return chinese.drafts(sentence) if is_chinese(sentence) else english.drafts(sentence)


def _folded(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
