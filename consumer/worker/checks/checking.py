"""Runs all checks that need no model over the pairs of one chunk."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from configs.recipe_parts import Checks
from consumer.worker.checks.copies import is_copy
from consumer.worker.checks.duplicates import Asked, asked, same
from consumer.worker.checks.evidence import Quotable
from consumer.worker.checks.numbers import Sources
from consumer.worker.checks.overlap import apart, prose
from consumer.worker.checks.pair import AnsweredPair
from consumer.worker.checks.polarity import parsed, turned
from consumer.worker.checks.self_contained import pointing
from languages import language_of
from schemas import Evidence, Reason

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Control, bidirectional and zero-width characters, but for tabs and line ends: no reader sees them, and a model learns them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A pair, its evidence as found in the text, and the reasons against it. A pair without reasons is kept."""

    pair: AnsweredPair
    evidence: tuple[Evidence, ...]
    reasons: tuple[Reason, ...]


def check_pairs(
    answered: Sequence[AnsweredPair], *, text: str, start: int, headings: tuple[str, ...], checks: Checks
) -> tuple[Checked, ...]:
    """Check the pairs of the chunk `text`, which begins at character `start` of the document, in their order.

    Only the first of several questions that ask the same is kept.
    """
    checking = _Checking(text, start, headings, checks)
    checked = [checking.checked(pair) for pair in answered]
    return tuple(_without_duplicates(checked) if checks.duplicates else checked)


class _Checking:
    """The checks over one chunk. Everything about its text is computed once for all pairs."""

    def __init__(self, text: str, start: int, headings: tuple[str, ...], checks: Checks) -> None:
        self._checks = checks
        self._quotable = Quotable(text, start)
        self._language = language_of(text)
        self._sources = Sources(text, *headings)
        self._clauses = parsed(text)
        self._prose = prose(text)

    def checked(self, pair: AnsweredPair) -> Checked:
        evidence = self._quotable.located(pair.evidence)
        return Checked(pair, evidence, tuple(self._reasons(pair, evidence)))

    def _reasons(self, pair: AnsweredPair, evidence: tuple[Evidence, ...]) -> Iterator[Reason]:
        if not _says_something(pair.question) or not _says_something(pair.answer):
            yield Reason(check="empty")
            return
        yield from self._of_shape(pair)
        yield from self._of_evidence(pair, evidence)

    def _of_shape(self, pair: AnsweredPair) -> Iterator[Reason]:
        checks = self._checks
        yield from _reason("control_characters", _hidden(f"{pair.question}\n{pair.answer}\n{pair.reasoning}"))
        yield from _length("question_length", pair.question, checks.question_least, checks.question_most)
        yield from _length("answer_length", pair.answer, checks.answer_least, checks.answer_most)
        if checks.language and not (self._language.accepts(pair.question) and self._language.accepts(pair.answer)):
            yield Reason(check="language", detail=f"the text is in {self._language.code}")
        if checks.copies and is_copy(pair.question, pair.answer):
            yield Reason(check="answer_is_question")
        if checks.self_contained:
            yield from _reason("self_contained", pointing(pair.question))

    def _of_evidence(self, pair: AnsweredPair, evidence: tuple[Evidence, ...]) -> Iterator[Reason]:
        checks = self._checks
        quoted = "\n".join(each.text for each in evidence)
        if checks.evidence and (not evidence or len(evidence) < len(pair.evidence)):
            detail = f"{len(evidence)} of {len(pair.evidence)} quotes are in the text"
            yield Reason(check="evidence_verbatim", detail=detail)
        if checks.numbers:
            unsupported = self._sources.unsupported(pair.question, pair.answer, pair.reasoning, quoted)
            yield from _reason("numbers", (f"not in the text: {number}" for number in unsupported))
        if checks.polarity:
            against = turned(pair.answer, self._clauses, alignment=checks.alignment)
            yield from _reason("polarity", (f"the text says the opposite of: {clause}" for clause in against))
        if checks.overlap and evidence:
            found = apart(pair.question, pair.answer, pair.reasoning, quoted, self._prose, least=checks.overlap_least)
            yield from _reason("overlap", found)


def _says_something(text: str) -> bool:
    return any(c.isalnum() for c in text)


def _hidden(text: str) -> Iterator[str]:
    return (f"U+{ord(match[0]):04X}" for match in _HIDDEN.finditer(text))


def _reason(check: str, details: Iterator[str]) -> Iterator[Reason]:
    """Gives at most one reason for a check, with all its details."""
    detail = "; ".join(dict.fromkeys(details))
    if detail:
        yield Reason(check=check, detail=detail)


def _length(check: str, text: str, least: int, most: int) -> Iterator[Reason]:
    if not least <= len(text) <= most:
        yield Reason(check=check, detail=f"{len(text)} characters, not {least} to {most}")


def _without_duplicates(checked: Sequence[Checked]) -> Iterator[Checked]:
    kept: list[tuple[Asked, str]] = []
    for each in checked:
        if each.reasons:
            yield each
            continue
        question = asked(each.pair.question)
        alike = next((earlier for other, earlier in kept if same(question, other)), None)
        if alike is None:
            kept.append((question, each.pair.question))
            yield each
        else:
            yield replace(each, reasons=(Reason(check="near_duplicate", detail=f"asks the same as: {alike}"),))
