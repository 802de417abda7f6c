"""Checks of an answered pair that need no model. Each names itself in the rejection."""

from consumer.worker.answers import AnsweredPair
from schemas import Evidence, Reason


def language_of(text: str) -> str:
    """Language of a text: zh when Chinese characters are a fifth of the letters or more, else en."""
    letters = sum(c.isalpha() for c in text)
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in text)
    return "zh" if chinese * 5 >= letters > 0 and chinese else "en"


def locate_evidence(quotes: tuple[str, ...], text: str, start: int) -> tuple[Evidence, ...]:
    """Those quotes that stand word for word in the chunk `text`, which begins at character `start` of the document."""
    found = []
    for quote in (quote.strip() for quote in quotes):
        position = text.find(quote) if quote else -1
        if position >= 0:
            found.append(Evidence(text=quote, start=start + position, end=start + position + len(quote)))
    return tuple(found)


def reasons_against(pair: AnsweredPair, evidence: tuple[Evidence, ...]) -> tuple[Reason, ...]:
    """Why the pair is not kept; empty when it is. One false quote is enough."""
    reasons = []
    if not pair.question.strip() or not pair.answer.strip():
        reasons.append(Reason(check="empty"))
    elif _folded(pair.question) == _folded(pair.answer):
        reasons.append(Reason(check="answer_is_question"))
    if not evidence or len(evidence) < len(pair.evidence):
        reasons.append(
            Reason(check="evidence_verbatim", detail=f"{len(evidence)} of {len(pair.evidence)} quotes are in the text")
        )
    return tuple(reasons)


def _folded(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
