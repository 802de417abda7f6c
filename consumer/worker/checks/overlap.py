"""Whether question, answer and evidence speak of the same."""

from collections.abc import Iterator

from consumer.worker.checks.words import grams

_JUDGED = 4
"""Fewer words than this may all be other ones."""


def apart(question: str, answer: str, evidence: str, *, least: float) -> Iterator[str]:
    """`least`: share of the answer's words that question and evidence must have."""
    asked, given, quoted = grams(question), grams(answer), grams(evidence)
    if len(given) >= _JUDGED and len(given & (asked | quoted)) < least * len(given):
        yield "the answer has hardly a word in common with question and evidence"
    elif len(quoted) >= _JUDGED and not quoted & (asked | given):
        yield "the evidence has no word in common with question and answer"
