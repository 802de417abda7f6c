"""A question on its way through the stages. In the end it is a pair that is kept, or is rejected with its reasons."""

from dataclasses import dataclass, field, replace

from configs.recipe_parts import Limits, Scoring
from consumer.worker.checks.pair import AnsweredPair
from consumer.worker.recipe.response_formats import MOST_MARK, CriterionMarks, ModelAnswer
from schemas import Evidence, PairType, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A question with everything that is known about it. One with `reasons` is rejected and goes no further."""

    type: PairType
    question: str
    answer: str = ""
    reasoning: str = ""
    quotes: tuple[str, ...] = ()
    thinking: str = ""
    second: ModelAnswer | None = None
    evidence: tuple[Evidence, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    comment: str = ""
    reasons: tuple[Reason, ...] = ()

    @property
    def as_answered(self) -> AnsweredPair:
        return AnsweredPair(
            type=self.type, question=self.question, answer=self.answer, reasoning=self.reasoning, evidence=self.quotes
        )


def from_pair(pair: AnsweredPair, limits: Limits) -> Candidate:
    given = Candidate(
        type=pair.type, question=pair.question, answer=pair.answer, reasoning=pair.reasoning, quotes=pair.evidence
    )
    return against_cuts(given, limits)


def against(candidate: Candidate, *reasons: Reason) -> Candidate:
    """Returns the candidate with more reasons against it."""
    return replace(candidate, reasons=(*candidate.reasons, *reasons))


def against_cuts(candidate: Candidate, limits: Limits) -> Candidate:
    """Rejects a candidate with a text as long as its limit: the schema's bound has cut it within a sentence."""
    bounds = {
        "question": limits.question_characters,
        "answer": limits.answer_characters,
        "reasoning": limits.reasoning_characters,
    }
    cut = [f"{name} at {most} characters" for name, most in bounds.items() if len(getattr(candidate, name)) >= most]
    return against(candidate, Reason(check="cut", detail=", ".join(cut))) if cut and not limits.keep_cut else candidate


def with_answer(candidate: Candidate, given: ModelAnswer, thinking: str, limits: Limits) -> Candidate:
    """Adds the answer, or rejects the question as unanswerable.

    Thoughts over the limit are left out, since half of a chain of thought teaches nothing.
    """
    answered = replace(
        candidate,
        question=given.question.strip() or candidate.question,
        answer=given.answer,
        reasoning=given.reasoning,
        quotes=given.evidence,
        thinking=thinking if len(thinking) <= limits.thinking_characters else "",
    )
    if not given.answerable:
        return against(answered, Reason(check="unanswerable", detail=given.reasoning))
    return against_cuts(answered, limits)


def with_scores(candidate: Candidate, name: str, marks: CriterionMarks, scoring: Scoring) -> Candidate:
    """Adds the scores `name` and `name.criterion`, and the reason `name_score` if they are too low."""
    scores = scores_of(marks)
    named = {name: scoring.total(scores)} | {f"{name}.{criterion}": score for criterion, score in scores.items()}
    scored = replace(candidate, scores=candidate.scores | named, comment=marks.comment)
    return scored if scoring.passes(scores) else against(scored, shortfall(f"{name}_score", scores, marks, scoring))


def scores_of(marks: CriterionMarks) -> dict[str, float]:
    """Returns scores from 0 to 1."""
    return {criterion: mark / MOST_MARK for criterion, mark in marks.marks.items()}


def shortfall(check: str, scores: dict[str, float], marks: CriterionMarks, scoring: Scoring) -> Reason:
    """Returns the reason that says which score is too low, with the comment of whoever gave the marks."""
    total = scoring.total(scores)
    low = [f"{name} {score:g}" for name, score in scores.items() if score < scoring.least]
    said = (
        f"{total:g} < {scoring.threshold:g}" if total < scoring.threshold else f"{', '.join(low)} < {scoring.least:g}"
    )
    return Reason(check=check, detail=f"{said}: {marks.comment}" if marks.comment else said)
