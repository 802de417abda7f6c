"""A question on its way through the stages: it ends as a pair that is kept, or rejected with its reasons."""

from dataclasses import dataclass, field, replace

from configs.recipe_parts import Limits, Scoring
from consumer.worker.recipe.response_formats import AnsweredPair, GivenAnswer, Marks
from schemas import Evidence, PairType, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """`reasons` are those against it; with one it goes no further."""

    type: PairType
    question: str
    answer: str = ""
    reasoning: str = ""
    quotes: tuple[str, ...] = ()
    thinking: str = ""
    second: GivenAnswer | None = None
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
    return replace(candidate, reasons=(*candidate.reasons, *reasons))


def against_cuts(candidate: Candidate, limits: Limits) -> Candidate:
    """A text as long as it may be was ended by the bound of the schema, in the middle of a sentence."""
    bounds = {
        "question": limits.question_characters,
        "answer": limits.answer_characters,
        "reasoning": limits.reasoning_characters,
    }
    cut = [f"{name} at {most} characters" for name, most in bounds.items() if len(getattr(candidate, name)) >= most]
    return against(candidate, Reason(check="cut", detail=", ".join(cut))) if cut and not limits.keep_cut else candidate


def with_answer(candidate: Candidate, given: GivenAnswer, thinking: str, limits: Limits) -> Candidate:
    """A chain of thought that is too long is left out: half of one teaches nothing."""
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


def with_scores(candidate: Candidate, name: str, marks: Marks, scoring: Scoring) -> Candidate:
    """Scores under `name` and `name.criterion`; a reason `name_score` if they don't suffice."""
    scores = scores_of(marks)
    named = {name: scoring.total(scores)} | {f"{name}.{criterion}": score for criterion, score in scores.items()}
    scored = replace(candidate, scores=candidate.scores | named, comment=marks.comment)
    return scored if scoring.passes(scores) else against(scored, shortfall(f"{name}_score", scores, marks, scoring))


def scores_of(marks: Marks) -> dict[str, float]:
    return {criterion: mark / 10 for criterion, mark in marks.marks.items()}


def shortfall(check: str, scores: dict[str, float], marks: Marks, scoring: Scoring) -> Reason:
    total = scoring.total(scores)
    low = [f"{name} {score:g}" for name, score in scores.items() if score < scoring.least]
    said = (
        f"{total:g} < {scoring.threshold:g}" if total < scoring.threshold else f"{', '.join(low)} < {scoring.least:g}"
    )
    return Reason(check=check, detail=f"{said}: {marks.comment}" if marks.comment else said)
